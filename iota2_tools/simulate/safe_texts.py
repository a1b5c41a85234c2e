"""The XML files of a simulated SAFE: fewer elements than ESA writes, under the same names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from iota2_tools.simulate.radar_geometry import (
    EARTH_RADIUS,
    LIGHT,
    LINE_INTERVAL,
    ORBIT_RADIUS,
    SPACING,
)

if TYPE_CHECKING:
    from iota2_tools.simulate.radar_safe import GrdProduct

STATE_VECTORS = range(-60, 80, 10)
"""Seconds from the first line."""
CONVERSIONS = range(-1, 60)
DIRECTIONS = {"ASC": "Ascending", "DES": "Descending"}


def stamp(time: datetime) -> str:
    """Time as ESA writes it, with microseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")


def numbers(values: Iterable[float], form: str = ".6e") -> str:
    return " ".join(format(value, form) for value in values)


def _header(product: GrdProduct, polarisation: str) -> str:
    return f"""\
  <adsHeader>
    <missionId>{product.radar_pass.platform}</missionId>
    <productType>GRD</productType>
    <polarisation>{polarisation}</polarisation>
    <mode>IW</mode>
    <swath>IW</swath>
    <startTime>{stamp(product.start)}</startTime>
    <stopTime>{stamp(product.stop)}</stopTime>
    <absoluteOrbitNumber>{product.radar_pass.absolute_orbit}</absoluteOrbitNumber>
    <missionDataTakeId>{product.datatake}</missionDataTakeId>
    <imageNumber>{1 if polarisation == "VV" else 2:03d}</imageNumber>
  </adsHeader>
"""


def annotation(product: GrdProduct, polarisation: str, points: np.ndarray) -> str:
    """Text of ``annotation/s1?-iw-grd-*.xml``."""
    geometry = product.geometry
    seconds = geometry.start + product.first * LINE_INTERVAL
    orbits = "".join(_state_vector(product, seconds + offset, offset) for offset in STATE_VECTORS)
    last = int(product.lines * LINE_INTERVAL) + 2
    conversions = "".join(_conversion(product, offset) for offset in CONVERSIONS if offset <= last)
    grid = "".join(_control_point(product, point) for point in points)
    angle = np.degrees(geometry.incidence(np.array([geometry.samples / 2]))[0])
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<product>
{_header(product, polarisation)}\
  <generalAnnotation>
    <productInformation>
      <pass>{DIRECTIONS[product.radar_pass.direction]}</pass>
      <timelinessCategory>Fast-24h</timelinessCategory>
      <platformHeading>{-12.0 if product.radar_pass.direction == "ASC" else -168.0:.6e}</platformHeading>
      <projection>Ground Range</projection>
      <rangeSamplingRate>6.434523812571428e+07</rangeSamplingRate>
      <radarFrequency>5.405000454334350e+09</radarFrequency>
      <azimuthSteeringRate>1.590368784000000e+00</azimuthSteeringRate>
    </productInformation>
    <orbitList count="{len(STATE_VECTORS)}">
{orbits}    </orbitList>
{_estimates(product, "terrainHeight", HEIGHT)}\
{_estimates(product, "azimuthFmRate", RATE)}\
  </generalAnnotation>
  <imageAnnotation>
    <imageInformation>
      <productFirstLineUtcTime>{stamp(product.start)}</productFirstLineUtcTime>
      <productLastLineUtcTime>{stamp(product.stop)}</productLastLineUtcTime>
      <ascendingNodeTime>{stamp(product.start - timedelta(minutes=36))}</ascendingNodeTime>
      <anchorTime>{stamp(product.start)}</anchorTime>
      <productComposition>Slice</productComposition>
      <slantRangeTime>{2 * geometry.nearest / LIGHT:.15e}</slantRangeTime>
      <pixelValue>Detected</pixelValue>
      <outputPixels>16 bit Unsigned Integer</outputPixels>
      <rangePixelSpacing>{SPACING:.6e}</rangePixelSpacing>
      <azimuthPixelSpacing>{SPACING:.6e}</azimuthPixelSpacing>
      <azimuthTimeInterval>{LINE_INTERVAL:.15e}</azimuthTimeInterval>
      <azimuthFrequency>4.864863102995529e+02</azimuthFrequency>
      <numberOfSamples>{geometry.samples}</numberOfSamples>
      <numberOfLines>{product.lines}</numberOfLines>
      <incidenceAngleMidSwath>{angle:.15e}</incidenceAngleMidSwath>
    </imageInformation>
    <processingInformation>
      <srgrConversionApplied>true</srgrConversionApplied>
      <detectionPerformed>true</detectionPerformed>
      <thermalNoiseCorrectionPerformed>false</thermalNoiseCorrectionPerformed>
      <swathProcParamsList count="1">
        <swathProcParams>
          <swath>IW1</swath>
{_processing("range", 5.65e7)}\
{_processing("azimuth", 3.27e2)}\
        </swathProcParams>
      </swathProcParamsList>
      <ellipsoidName>WGS84</ellipsoidName>
      <ellipsoidSemiMajorAxis>6.378137000000000e+06</ellipsoidSemiMajorAxis>
      <ellipsoidSemiMinorAxis>6.356752314245000e+06</ellipsoidSemiMinorAxis>
    </processingInformation>
  </imageAnnotation>
  <dopplerCentroid>
{_estimates(product, "dcEstimate", DOPPLER)}\
  </dopplerCentroid>
  <swathTiming>
    <linesPerBurst>0</linesPerBurst>
    <samplesPerBurst>0</samplesPerBurst>
    <burstList count="0"/>
  </swathTiming>
  <geolocationGrid>
    <geolocationGridPointList count="{len(points)}">
{grid}    </geolocationGridPointList>
  </geolocationGrid>
  <coordinateConversion>
    <coordinateConversionList count="{conversions.count("<sr0>")}">
{conversions}    </coordinateConversionList>
  </coordinateConversion>
</product>
"""


HEIGHT = "<value>2.5e+02</value>"
RATE = (
    "<t0>5.34e-03</t0>"
    '<azimuthFmRatePolynomial count="3">-2.3228e+03 4.5e+05 -7.9e+07</azimuthFmRatePolynomial>'
)
DOPPLER = (
    "<t0>5.35e-03</t0>"
    '<geometryDcPolynomial count="3">0.0e+00 0.0e+00 0.0e+00</geometryDcPolynomial>'
    '<dataDcPolynomial count="3">0.0e+00 0.0e+00 0.0e+00</dataDcPolynomial>'
    '<fineDceList count="0"/>'
)


def _estimates(product: GrdProduct, name: str, content: str) -> str:
    """A list of what the processor estimated before and after the image; the geometry needs none."""
    entries = "".join(
        f"      <{name}><azimuthTime>{stamp(product.start + timedelta(seconds=seconds))}</azimuthTime>"
        f"{content}</{name}>\n"
        for seconds in (-10, 60)
    )
    return f'    <{name}List count="2">\n{entries}    </{name}List>\n'


def _processing(axis: str, bandwidth: float) -> str:
    return f"""\
          <{axis}Processing>
            <windowType>Hamming</windowType>
            <windowCoefficient>7.000000000000000e-01</windowCoefficient>
            <totalBandwidth>{bandwidth:.15e}</totalBandwidth>
            <processingBandwidth>{bandwidth:.15e}</processingBandwidth>
            <lookBandwidth>{bandwidth / 4:.15e}</lookBandwidth>
            <numberOfLooks>5</numberOfLooks>
            <lookOverlap>{bandwidth / 16:.15e}</lookOverlap>
          </{axis}Processing>
"""


def _state_vector(product: GrdProduct, seconds: float, offset: int) -> str:
    place, speed = product.geometry.satellite(seconds)
    vectors = "".join(
        f"        <{name}>\n"
        + "".join(
            f"          <{axis}>{value:.15e}</{axis}>\n"
            for axis, value in zip("xyz", values, strict=True)
        )
        + f"        </{name}>\n"
        for name, values in (("position", place), ("velocity", speed))
    )
    time = stamp(product.start + timedelta(seconds=offset))
    return (
        f"      <orbit>\n        <time>{time}</time>\n        <frame>Earth Fixed</frame>\n"
        f"{vectors}      </orbit>\n"
    )


def _conversion(product: GrdProduct, offset: int) -> str:
    geometry = product.geometry
    to_ground = geometry.to_ground
    ground = np.linspace(0.0, geometry.samples * SPACING, 200)
    cosine = np.cos(ground / EARTH_RADIUS + _first_angle(geometry.nearest))
    slant = np.sqrt(ORBIT_RADIUS**2 + EARTH_RADIUS**2 - 2 * ORBIT_RADIUS * EARTH_RADIUS * cosine)
    back = np.polynomial.Polynomial.fit(ground, slant, len(to_ground) - 1).convert().coef
    return f"""\
      <coordinateConversion>
        <azimuthTime>{stamp(product.start + timedelta(seconds=offset))}</azimuthTime>
        <slantRangeTime>{2 * geometry.nearest / LIGHT:.15e}</slantRangeTime>
        <sr0>{geometry.nearest:.15e}</sr0>
        <srgrCoefficients count="{len(to_ground)}">{numbers(to_ground, ".15e")}</srgrCoefficients>
        <gr0>0.000000000000000e+00</gr0>
        <grsrCoefficients count="{len(back)}">{numbers(back, ".15e")}</grsrCoefficients>
      </coordinateConversion>
"""


def _first_angle(nearest: float) -> float:
    """Angle at the centre of the earth between the satellite and the first sample."""
    cosine = (ORBIT_RADIUS**2 + EARTH_RADIUS**2 - nearest**2) / (2 * ORBIT_RADIUS * EARTH_RADIUS)
    return float(np.arccos(cosine))


def _control_point(product: GrdProduct, point: np.ndarray) -> str:
    line, sample, longitude, latitude, height, distance, seconds = point
    angle = np.degrees(product.geometry.incidence(np.array([sample]))[0])
    return f"""\
      <geolocationGridPoint>
        <azimuthTime>{stamp(product.radar_pass.time + timedelta(seconds=seconds))}</azimuthTime>
        <slantRangeTime>{2 * distance / LIGHT:.15e}</slantRangeTime>
        <line>{line:.0f}</line>
        <pixel>{sample:.0f}</pixel>
        <latitude>{latitude:.15e}</latitude>
        <longitude>{longitude:.15e}</longitude>
        <height>{height:.15e}</height>
        <incidenceAngle>{angle:.15e}</incidenceAngle>
        <elevationAngle>{angle - 4.0:.15e}</elevationAngle>
      </geolocationGridPoint>
"""


def _vector_lines(product: GrdProduct, step: int) -> list[int]:
    """Lines of the frame that vectors are given at; the last ones lie at or beyond its end."""
    return list(range(0, product.lines + step, step))


def calibration(product: GrdProduct, polarisation: str, step: int) -> str:
    """Text of ``annotation/calibration/calibration-*.xml``."""
    samples = product.vector_samples
    vectors = ""
    for line in _vector_lines(product, step):
        drift = float(product.drift(np.array(product.first + line)))
        tables = "".join(
            f'      <{kind} count="{len(samples)}">'
            f"{numbers(drift * product.amplitudes(kind), '.9e')}</{kind}>\n"
            for kind in ("sigmaNought", "betaNought", "gamma")
        )
        vectors += f"""\
    <calibrationVector>
      <azimuthTime>{stamp(product.time_of(product.first + line))}</azimuthTime>
      <line>{line}</line>
      <pixel count="{len(samples)}">{numbers(samples, "d")}</pixel>
{tables}    </calibrationVector>
"""
    count = len(_vector_lines(product, step))
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<calibration>
{_header(product, polarisation)}\
  <calibrationInformation>
    <absoluteCalibrationConstant>1.000000e+00</absoluteCalibrationConstant>
  </calibrationInformation>
  <calibrationVectorList count="{count}">
{vectors}  </calibrationVectorList>
</calibration>
"""


def noise(product: GrdProduct, polarisation: str, step: int) -> str:
    """Text of ``annotation/calibration/noise-*.xml``, by the processor of the product."""
    new = product.processor >= (2, 90)
    element, table = ("noiseRangeVector", "noiseRangeLut") if new else ("noiseVector", "noiseLut")
    samples = product.vector_samples
    values = numbers(product.noise_along_range(polarisation))
    lines = _vector_lines(product, step)
    vectors = "".join(
        f"""\
    <{element}>
      <azimuthTime>{stamp(product.time_of(product.first + line))}</azimuthTime>
      <line>{line}</line>
      <pixel count="{len(samples)}">{numbers(samples, "d")}</pixel>
      <{table} count="{len(samples)}">{values}</{table}>
    </{element}>
"""
        for line in lines
    )
    blocks = _azimuth_blocks(product) if new else ""
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<noise>
{_header(product, polarisation)}\
  <{element}List count="{len(lines)}">
{vectors}  </{element}List>
{blocks}</noise>
"""


def _azimuth_blocks(product: GrdProduct) -> str:
    lines = product.azimuth_lines()
    blocks = ""
    for swath, (first, last) in enumerate(product.swaths):
        values = product.noise_along_azimuth(swath, lines)
        blocks += f"""\
    <noiseAzimuthVector>
      <swath>IW{swath + 1}</swath>
      <firstAzimuthLine>0</firstAzimuthLine>
      <firstRangeSample>{first}</firstRangeSample>
      <lastAzimuthLine>{product.lines - 1}</lastAzimuthLine>
      <lastRangeSample>{last}</lastRangeSample>
      <line count="{len(lines)}">{numbers(lines, "d")}</line>
      <noiseAzimuthLut count="{len(values)}">{numbers(values)}</noiseAzimuthLut>
    </noiseAzimuthVector>
"""
    count = len(product.swaths)
    return f'  <noiseAzimuthVectorList count="{count}">\n{blocks}  </noiseAzimuthVectorList>\n'


NAMESPACES = (
    'xmlns:xfdu="urn:ccsds:schema:xfdu:1" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:safe="http://www.esa.int/safe/sentinel-1.0" '
    'xmlns:s1="http://www.esa.int/safe/sentinel-1.0/sentinel-1" '
    'xmlns:s1sarl1="http://www.esa.int/safe/sentinel-1.0/sentinel-1/sar/level-1"'
)


def manifest(product: GrdProduct, points: np.ndarray) -> str:
    """Text of ``manifest.safe``."""
    radar_pass = product.radar_pass
    version = f"{product.processor[0]:03d}.{product.processor[1]:02d}"
    corners = " ".join(
        f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in _corners(points)
    )
    files = "".join(
        f'    <dataObject ID="{part}{number}"><byteStream><fileLocation locatorType="URL" '
        f'href="./{place}"/></byteStream></dataObject>\n'
        for number, polarisation in enumerate(("VV", "VH"))
        for part, place in _places(product.file_stem(polarisation))
    )
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<xfdu:XFDU {NAMESPACES} version="esa/safe/sentinel-1.0/sentinel-1/sar/level-1/grd/standard/iwdp">
  <metadataSection>
    <metadataObject ID="processing"><metadataWrap><xmlData>
      <safe:processing name="GRD Post Processing" start="{stamp(product.stop)}" stop="{stamp(product.stop)}">
        <safe:facility country="None" name="Simulation" organisation="None" site="None">
          <safe:software name="Sentinel-1 IPF" version="{version}"/>
        </safe:facility>
      </safe:processing>
    </xmlData></metadataWrap></metadataObject>
    <metadataObject ID="platform"><metadataWrap><xmlData>
      <safe:platform>
        <safe:familyName>SENTINEL-1</safe:familyName>
        <safe:number>{radar_pass.platform[-1]}</safe:number>
        <safe:instrument>
          <safe:familyName abbreviation="SAR">Synthetic Aperture Radar</safe:familyName>
          <safe:extension><s1sarl1:instrumentMode>
            <s1sarl1:mode>IW</s1sarl1:mode><s1sarl1:swath>IW</s1sarl1:swath>
          </s1sarl1:instrumentMode></safe:extension>
        </safe:instrument>
      </safe:platform>
    </xmlData></metadataWrap></metadataObject>
    <metadataObject ID="measurementOrbitReference"><metadataWrap><xmlData>
      <safe:orbitReference>
        <safe:orbitNumber type="start">{radar_pass.absolute_orbit}</safe:orbitNumber>
        <safe:relativeOrbitNumber type="start">{radar_pass.orbit}</safe:relativeOrbitNumber>
        <safe:extension><s1:orbitProperties>
          <s1:pass>{DIRECTIONS[radar_pass.direction].upper()}</s1:pass>
        </s1:orbitProperties></safe:extension>
      </safe:orbitReference>
    </xmlData></metadataWrap></metadataObject>
    <metadataObject ID="generalProductInformation"><metadataWrap><xmlData>
      <s1sarl1:standAloneProductInformation>
        <s1sarl1:missionDataTakeID>{product.datatake}</s1sarl1:missionDataTakeID>
        <s1sarl1:transmitterReceiverPolarisation>VV</s1sarl1:transmitterReceiverPolarisation>
        <s1sarl1:transmitterReceiverPolarisation>VH</s1sarl1:transmitterReceiverPolarisation>
        <s1sarl1:productType>GRD</s1sarl1:productType>
      </s1sarl1:standAloneProductInformation>
    </xmlData></metadataWrap></metadataObject>
    <metadataObject ID="acquisitionPeriod"><metadataWrap><xmlData>
      <safe:acquisitionPeriod>
        <safe:startTime>{stamp(product.start)}</safe:startTime>
        <safe:stopTime>{stamp(product.stop)}</safe:stopTime>
      </safe:acquisitionPeriod>
    </xmlData></metadataWrap></metadataObject>
    <metadataObject ID="measurementFrameSet"><metadataWrap><xmlData>
      <safe:frameSet><safe:frame>
        <safe:footPrint srsName="http://www.opengis.net/gml/srs/epsg.xml#4326">
          <gml:coordinates>{corners}</gml:coordinates>
        </safe:footPrint>
      </safe:frame></safe:frameSet>
    </xmlData></metadataWrap></metadataObject>
  </metadataSection>
  <dataObjectSection>
{files}  </dataObjectSection>
</xfdu:XFDU>
"""


def _places(stem: str) -> list[tuple[str, str]]:
    return [
        ("product", f"annotation/{stem}.xml"),
        ("calibration", f"annotation/calibration/calibration-{stem}.xml"),
        ("noise", f"annotation/calibration/noise-{stem}.xml"),
        ("measurement", f"measurement/{stem}.tiff"),
    ]


def _corners(points: np.ndarray) -> list[np.ndarray]:
    """Longitude and latitude of the four corners of the image, round it."""
    first_line = points[points[:, 0] == points[:, 0].min()]
    last_line = points[points[:, 0] == points[:, 0].max()]
    return [first_line[0, 2:4], first_line[-1, 2:4], last_line[-1, 2:4], last_line[0, 2:4]]
