/* Draws the tiles beside this page in the colours of their legends, and reads what stands under a click. */
(function () {
  "use strict";

  const told = JSON.parse(document.getElementById("map-data").textContent);
  const grid = told.grid;
  const layers = new Map(told.layers.map((layer) => [layer.name, layer]));
  const MOST_TILES = 80;

  /* ---- tiles: a script each, for pixels of pictures may not be read from a folder ---- */

  const known = new Map();
  const waiting = new Map();

  window.mapTile = function (key, text) {
    const picture = new Image();
    const done = waiting.get(key);
    picture.onload = function () {
      const canvas = document.createElement("canvas");
      canvas.width = picture.width;
      canvas.height = picture.height;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(picture, 0, 0);
      const bytes = context.getImageData(0, 0, picture.width, picture.height).data;
      const colour = layers.get(key.split("/")[0]).wide;
      const values = new Uint16Array(picture.width * picture.height);
      for (let i = 0; i < values.length; i++) {
        values[i] = colour ? bytes[4 * i] + 256 * bytes[4 * i + 1] : bytes[4 * i];
      }
      done.resolve({ values: values, width: picture.width, height: picture.height });
    };
    picture.onerror = function () { done.reject(new Error(key)); };
    picture.src = "data:image/png;base64," + text;
  };

  function tile(layer, level, row, col) {
    const key = layer.name + "/" + level + "_" + row + "_" + col;
    if (known.has(key)) return known.get(key);
    const promise = new Promise(function (resolve, reject) {
      waiting.set(key, { resolve: resolve, reject: reject });
      const script = document.createElement("script");
      script.src = "tiles/" + key + ".js";
      script.onload = function () { script.remove(); };
      script.onerror = function () { script.remove(); reject(new Error(key)); };
      document.head.appendChild(script);
    });
    promise.catch(function () {
      known.delete(key);
      note("Tiles of the map are missing: keep the folder “tiles” beside this page.");
    }).finally(function () {
      waiting.delete(key);
      forget();
    });
    known.set(key, promise);
    return promise;
  }

  /* Those that are not there yet stay: somebody waits for them. */
  function forget() {
    for (const key of known.keys()) {
      if (known.size <= MOST_TILES) return;
      if (!waiting.has(key)) known.delete(key);
    }
  }

  function note(text) { document.getElementById("map-note").textContent = text; }

  /* ---- colours ---- */

  function rgb(text) { return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)); }

  function colours(layer) {
    const table = new Map();
    if (layer.legend) {
      for (const item of layer.legend) table.set(item.code, rgb(item.colour));
      return table;
    }
    const stops = layer.ramp.map(rgb);
    for (let value = 0; value <= layer.largest; value++) {
      const at = Math.min(value / layer.maximum, 1) * (stops.length - 1);
      const low = Math.floor(at);
      const high = Math.min(low + 1, stops.length - 1);
      table.set(value, stops[low].map((part, i) => Math.round(part + (at - low) * (stops[high][i] - part))));
    }
    return table;
  }
  for (const layer of layers.values()) layer.table = colours(layer);

  let alone = null; // code of the class that is seen alone

  function painted(canvas, layer, read) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(read.width, read.height);
    for (let i = 0; i < read.values.length; i++) {
      const value = read.values[i];
      if (value === layer.nodata) continue;
      const colour = layer.table.get(value) || [128, 128, 128];
      const faint = alone !== null && layer.kind === "class" && value !== alone;
      image.data[4 * i] = colour[0];
      image.data[4 * i + 1] = colour[1];
      image.data[4 * i + 2] = colour[2];
      image.data[4 * i + 3] = faint ? 28 : 255;
    }
    context.putImageData(image, 0, 0);
  }

  /* ---- the map: a unit is a pixel of the finest level, rows count downwards ---- */

  const crs = L.extend({}, L.CRS.Simple, {
    distance: function (a, b) { return grid.metres * Math.hypot(a.lat - b.lat, a.lng - b.lng); }
  });
  const bounds = L.latLngBounds([[-grid.rows, 0], [0, grid.cols]]);
  const frame = document.getElementById("map");
  const tall = (frame.clientWidth * grid.rows) / grid.cols + 24;
  frame.style.height = Math.max(260, Math.min(tall, 0.64 * window.innerHeight, 640)) + "px";
  const map = L.map(frame, {
    crs: crs, minZoom: -grid.levels - 2, maxZoom: 5, zoomSnap: 0.25, attributionControl: false,
    maxBounds: bounds.pad(0.5)
  });
  L.control.scale({ imperial: false }).addTo(map);

  const Tiles = L.GridLayer.extend({
    createTile: function (coords, done) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = grid.side;
      const layer = this.options.layer;
      tile(layer, -coords.z, coords.y, coords.x).then(
        function (read) { painted(canvas, layer, read); done(null, canvas); },
        function (error) { done(error, canvas); }
      );
      return canvas;
    }
  });

  function shown(name) {
    return new Tiles({
      layer: layers.get(name), tileSize: grid.side, bounds: bounds, noWrap: true,
      minZoom: -grid.levels - 2, maxZoom: 5, minNativeZoom: 1 - grid.levels, maxNativeZoom: 0, keepBuffer: 1
    });
  }

  const choice = document.getElementById("layer");
  const beside = document.getElementById("beside");
  const swipe = document.getElementById("swipe");
  let left = null;
  let right = null;

  for (const layer of told.layers) {
    choice.add(new Option(layer.title, layer.name));
    beside.add(new Option(layer.title, layer.name));
  }

  function clip() {
    if (!left) return;
    const size = map.getSize();
    const corner = map.containerPointToLayerPoint([0, 0]);
    const end = map.containerPointToLayerPoint(size);
    const at = corner.x + size.x * (right ? swipe.value / 1000 : 1);
    left.getContainer().style.clip = right ? "rect(" + [corner.y, at, end.y, corner.x].join("px,") + "px)" : "";
    if (right) right.getContainer().style.clip = "rect(" + [corner.y, end.x, end.y, at].join("px,") + "px)";
  }

  function choose() {
    for (const layer of [left, right]) if (layer) layer.remove();
    left = shown(choice.value).addTo(map);
    right = beside.value ? shown(beside.value).addTo(map) : null;
    swipe.hidden = !right;
    legend();
    clip();
    drawForPaper();
  }

  /* Paper is narrower than the screen, and does not wait: the layer as one picture stands ready for it. */
  const paper = document.getElementById("paper");
  const WIDEST = 1600;

  function drawForPaper() {
    const layer = layers.get(choice.value);
    let level = 0;
    while (level < grid.levels - 1 && Math.max(grid.rows, grid.cols) / 2 ** level > WIDEST) level++;
    paper.height = Math.ceil(grid.rows / 2 ** level);
    paper.width = Math.ceil(grid.cols / 2 ** level);
    for (let row = 0; row * grid.side < paper.height; row++) {
      for (let col = 0; col * grid.side < paper.width; col++) {
        tile(layer, level, row, col).then(function (read) {
          if (choice.value !== layer.name) return;
          const piece = document.createElement("canvas");
          piece.width = read.width;
          piece.height = read.height;
          painted(piece, layer, read);
          paper.getContext("2d").drawImage(piece, col * grid.side, row * grid.side);
        }, function () {});
      }
    }
  }

  map.on("move zoom viewreset resize", clip);
  swipe.addEventListener("input", clip);
  choice.addEventListener("change", choose);
  beside.addEventListener("change", choose);

  /* ---- legends ---- */

  const ownLegend = document.getElementById("legend");
  const otherLegend = document.getElementById("other-legend");

  function entry(layer) {
    const item = document.createElement("li");
    if (layer.legend) {
      for (const part of layer.legend) {
        const line = item.appendChild(document.createElement("div"));
        line.className = "plain";
        const chip = line.appendChild(document.createElement("span"));
        chip.className = "chip";
        chip.style.background = part.colour;
        line.appendChild(document.createElement("span")).textContent = part.name;
      }
      return item;
    }
    const ramp = item.appendChild(document.createElement("div"));
    ramp.className = "ramp";
    ramp.style.background = "linear-gradient(to right," + layer.ramp.join(",") + ")";
    const ends = item.appendChild(document.createElement("div"));
    ends.className = "ends";
    for (const value of [0, layer.maximum]) {
      ends.appendChild(document.createElement("span")).textContent = value + " " + layer.unit;
    }
    return item;
  }

  function legend() {
    otherLegend.textContent = "";
    const seen = [choice.value, beside.value].filter(Boolean).map((name) => layers.get(name));
    const others = seen.filter((layer) => layer.kind !== "class" || layer.foreign);
    for (const layer of others) {
      const title = otherLegend.appendChild(document.createElement("li"));
      title.appendChild(document.createElement("strong")).textContent = layer.title;
      otherLegend.appendChild(entry(layer));
    }
    otherLegend.hidden = others.length === 0;
  }

  function pressed(list, act) {
    list.addEventListener("click", function (event) {
      const button = event.target.closest("button");
      if (!button) return;
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(on));
      act(on ? Number(button.dataset.code) : null);
    });
  }

  pressed(ownLegend, function (code) {
    alone = code;
    for (const layer of [left, right]) if (layer) layer.redraw();
  });

  /* ---- what stands under a click ---- */

  function words(layer, value) {
    if (value === layer.nodata) return "no data";
    if (layer.legend) {
      const found = layer.legend.find((item) => item.code === value);
      return found ? found.name : "code " + value;
    }
    return value + " " + layer.unit;
  }

  function valueAt(layer, row, col) {
    const side = grid.side;
    return tile(layer, 0, Math.floor(row / side), Math.floor(col / side)).then(function (read) {
      return read.values[(row % side) * read.width + (col % side)];
    });
  }

  function place(row, col) {
    const last = grid.nodes.length - 1;
    const y = (row / grid.rows) * last;
    const x = (col / grid.cols) * last;
    const i = Math.min(Math.floor(y), last - 1);
    const j = Math.min(Math.floor(x), last - 1);
    return [0, 1].map(function (k) {
      const above = grid.nodes[i][j][k] * (1 - x + j) + grid.nodes[i][j + 1][k] * (x - j);
      const below = grid.nodes[i + 1][j][k] * (1 - x + j) + grid.nodes[i + 1][j + 1][k] * (x - j);
      return above * (1 - y + i) + below * (y - i);
    });
  }

  const panel = document.getElementById("values");
  const ring = L.circleMarker([0, 0], { radius: 8, color: "#000", weight: 2, fill: false, interactive: false });

  map.on("click", function (event) {
    const row = Math.floor(-event.latlng.lat);
    const col = Math.floor(event.latlng.lng);
    if (row < 0 || col < 0 || row >= grid.rows || col >= grid.cols) return;
    Promise.all(told.layers.map((layer) => valueAt(layer, row, col))).then(function (values) {
      const table = document.createElement("table");
      told.layers.forEach(function (layer, number) {
        const line = table.insertRow();
        line.appendChild(document.createElement("th")).textContent = layer.title;
        line.insertCell().textContent = words(layer, values[number]);
      });
      const step = grid.resolution * grid.factor;
      const decimals = grid.angles ? 6 : 0;
      const x = (grid.left + (col + 0.5) * step).toFixed(decimals);
      const y = (grid.top - (row + 0.5) * step).toFixed(decimals);
      const at = place(row + 0.5, col + 0.5);
      const line = table.insertRow();
      line.appendChild(document.createElement("th")).textContent = grid.crs;
      line.insertCell().textContent = x + ", " + y;
      const world = table.insertRow();
      world.appendChild(document.createElement("th")).textContent = "Latitude, longitude";
      world.insertCell().textContent = at[1].toFixed(5) + ", " + at[0].toFixed(5);
      panel.textContent = "";
      panel.appendChild(table);
      panel.hidden = false;
      ring.setLatLng([-row - 0.5, col + 0.5]).addTo(map);
    }, function () {});
  });

  /* ---- the other sections ---- */

  const matrixChoice = document.getElementById("matrix-choice");
  if (matrixChoice) {
    matrixChoice.addEventListener("change", function () {
      for (const item of document.querySelectorAll(".matrix")) item.hidden = item.dataset.matrix !== matrixChoice.value;
    });
    document.getElementById("matrix-shares").addEventListener("change", function (event) {
      for (const item of document.querySelectorAll(".matrix")) item.classList.toggle("shares", event.target.checked);
    });
  }

  const quantity = document.getElementById("quantity");
  if (quantity) {
    quantity.addEventListener("change", function () {
      for (const item of document.querySelectorAll(".profile")) item.hidden = item.dataset.quantity !== quantity.value;
    });
    pressed(document.getElementById("profile-legend"), function (code) {
      for (const figure of document.querySelectorAll(".profile")) {
        figure.classList.toggle("alone", code !== null);
        for (const part of figure.querySelectorAll(".shown")) part.classList.remove("shown");
        if (code !== null) for (const part of figure.querySelectorAll(".of-" + code)) part.classList.add("shown");
      }
    });
  }

  if (grid.factor > 1) {
    note("A pixel here is " + grid.factor + " × " + grid.factor + " of the map; the GeoTIFF has them all.");
  }
  map.fitBounds(bounds);
  choose();
})();
