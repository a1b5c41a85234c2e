"""Opens a QGIS project without a screen, tells of its layers, and draws it; run by the Python of QGIS.

Usage: open_project.py PROJECT PICTURE. Prints JSON.
"""

import json
import sys

from qgis.core import QgsApplication, QgsMapRendererSequentialJob, QgsMapSettings, QgsProject
from qgis.PyQt.QtCore import QSize


def groups_of(tree):
    """Layers of each group of the legend, by name."""
    return {group.name(): [node.name() for node in group.children()] for group in tree.children()}


def draw(project, picture):
    """Draw the layers that are shown, in the extent of the project."""
    settings = QgsMapSettings()
    settings.setLayers(project.layerTreeRoot().checkedLayers())
    settings.setDestinationCrs(project.crs())
    settings.setExtent(settings.fullExtent())
    settings.setOutputSize(QSize(1080, 640))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(picture)


application = QgsApplication([], False)
application.initQgis()
project = QgsProject.instance()
read = project.read(sys.argv[1])
layers = {
    layer.name(): {
        "valid": layer.isValid(),
        "crs": layer.crs().authid(),
        "style": layer.renderer().type(),
        "source": layer.source(),
    }
    for layer in project.mapLayers().values()
}
draw(project, sys.argv[2])
told = {
    "read": read,
    "crs": project.crs().authid(),
    "layers": layers,
    "groups": groups_of(project.layerTreeRoot()),
    "shown": [layer.name() for layer in project.layerTreeRoot().checkedLayers()],
}
print(json.dumps(told))
application.exitQgis()
