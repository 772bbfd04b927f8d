"""Reads a folder as TensorBoard does: its event accumulator and the plugin hparams."""

import glob
import json
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util import tensor_util

folder = sys.argv[1]
events = event_accumulator.EventAccumulator(folder, size_guidance={event_accumulator.TENSORS: 0, event_accumulator.IMAGES: 0})
events.Reload()

scalars = {}
pictures = []
for tag in events.Tags()["tensors"]:
    plugin = events.SummaryMetadata(tag).plugin_data.plugin_name
    for event in events.Tensors(tag):
        value = tensor_util.make_ndarray(event.tensor_proto)
        if plugin == "scalars":
            scalars.setdefault(tag, []).append([event.step, float(value)])
        elif plugin == "images":
            pictures.append(value)
for tag in events.Tags()["scalars"]:
    scalars[tag] = [[event.step, event.value] for event in events.Scalars(tag)]
for tag in events.Tags()["images"]:
    pictures += [[event.width, event.height, event.encoded_image_string] for event in events.Images(tag)]
(width, height, png), = pictures

sessions = events.PluginTagToContent("hparams")
start = metadata.parse_session_start_info_plugin_data(sessions[metadata.SESSION_START_INFO_TAG])
end = metadata.parse_session_end_info_plugin_data(sessions[metadata.SESSION_END_INFO_TAG])
experiment = metadata.parse_experiment_plugin_data(sessions[metadata.EXPERIMENT_TAG])
hparams = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
assert {info.name for info in experiment.hparam_infos} == set(hparams)

print(
    json.dumps(
        {
            "scalars": scalars,
            "image": {"width": int(width), "height": int(height), "png": list(struct.unpack(">II", png[16:24]))},
            "hparams": hparams,
            "status": api_pb2.Status.Name(end.status),
            "files": len(glob.glob(f"{folder}/events.out.tfevents.*")),
        }
    )
)
