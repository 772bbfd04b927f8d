"""Mini_XCEPTION in Keras, as it is and with one part changed: a .h5 file each, and what a forward pass in NumPy says of a picture.

  pip install keras==3.12.0 jax h5py numpy && python scripts/keras/variants.py <folder> [<file of others>...]
  python scripts/keras/variants.py --fixture test/fixtures/keras      one of them, for test/network/keras.test.ts

The pass in NumPy reads the file's own model_config and weights and runs layer by layer; it knows neither Keras nor fer-cudnn. It is held
against Keras's own prediction here, and against fer-cudnn's by scripts/keras-variants.mjs.
"""
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
import h5py
import keras
import numpy as np
from keras import layers as L

# ---- the network, and what can be otherwise in it -----------------------------------------------------------------------------------

NORMAL = dict(
    size=32, channels=1, shape=None, stem=(4, 6), modules=(5, 7, 8), classes=7, before=(), stem_conv={}, conv_bias=False, norm={},
    activation=lambda: L.Activation("relu"), separable=None, separable_args={}, pool=lambda last: L.MaxPooling2D(3, 2, padding="same"),
    shortcut=lambda n, last: L.Conv2D(n, 1, strides=2, padding="same", use_bias=False), shortcut_norm=True, join=lambda: L.Add(),
    after_join=(), after_norm=True, dropout=False, head={}, end=lambda x: L.Activation("softmax", name="predictions")(L.GlobalAveragePooling2D()(x)),
    outputs=1, dtype="float32",
)


def build(**changes):
    o = {**NORMAL, **changes}
    keras.utils.clear_session()
    keras.config.set_floatx("float32" if o["dtype"] == "float16" else o["dtype"])
    norm = lambda x: L.BatchNormalization(**o["norm"])(x) if o["after_norm"] else x
    x = first = keras.Input(o["shape"] or (o["size"], o["size"], o["channels"]))
    for layer in o["before"]:
        x = layer()(x)
    for filters in o["stem"]:
        x = L.Conv2D(filters, **{"kernel_size": 3, "use_bias": o["conv_bias"], **o["stem_conv"]})(x)
        x = o["activation"]()(norm(x))
    separable = o["separable"] or (
        lambda n: lambda x: L.SeparableConv2D(n, 3, **{"padding": "same", "use_bias": o["conv_bias"], **o["separable_args"]})(x))
    for i, filters in enumerate(o["modules"]):
        last = i == len(o["modules"]) - 1
        residual = o["shortcut"](filters, last)
        if residual is not None:
            residual = residual(x)
            if o["shortcut_norm"]:
                residual = norm(residual)
        x = o["activation"]()(norm(separable(filters)(x)))
        x = norm(separable(filters)(x))
        pool = o["pool"](last)
        if pool is not None:
            x = pool(x)
        if residual is not None:
            x = o["join"]()([x, residual])
        for layer in o["after_join"]:
            x = layer()(x)
        if o["dropout"]:
            x = L.Dropout(0.3)(L.RandomFlip("horizontal")(x)) if i == 0 else L.SpatialDropout2D(0.2)(x)
    out = o["end"](L.Conv2D(o["classes"], **{"kernel_size": 3, "padding": "same", **o["head"]})(x))
    return keras.Model(first, out if o["outputs"] == 1 else [out, L.GlobalMaxPooling2D()(x)])


def stride(last_only=False):
    """Modules that neither stride nor pool: all, or the last."""
    off = lambda last: last or not last_only
    return dict(
        pool=lambda last: None if off(last) else L.MaxPooling2D(3, 2, padding="same"),
        shortcut=lambda n, last: L.Conv2D(n, 1, strides=1 if off(last) else 2, padding="same", use_bias=False),
    )


def two_layers(n):
    return lambda x: L.Conv2D(n, 1, use_bias=False)(L.DepthwiseConv2D(3, padding="same", use_bias=False)(x))


VARIANTS = {  # name: (what it is, changes)
    "as it is": ("narrower, 32x32", {}),
    "the published width": ("8,8:16,32,64,128 at 48x48", dict(size=48, stem=(8, 8), modules=(16, 32, 64, 128))),
    "one module": ("", dict(modules=(9,))),
    "six modules": ("", dict(modules=(3, 4, 5, 6, 7, 8))),
    "odd side": ("45x45", dict(size=45)),
    "nine classes": ("", dict(classes=9)),
    "epsilon": ("1e-5 in every batch norm", dict(norm=dict(epsilon=1e-5))),
    "momentum": ("0.9", dict(norm=dict(momentum=0.9))),
    "no gamma": ("scale=False", dict(norm=dict(scale=False))),
    "no beta": ("center=False", dict(norm=dict(center=False))),
    "biases": ("in every convolution", dict(conv_bias=True)),
    "head without bias": ("", dict(head=dict(use_bias=False))),
    "rescaling x/255": ("a layer", dict(before=[lambda: L.Rescaling(1 / 255)])),
    "rescaling x/127.5-1": ("a layer", dict(before=[lambda: L.Rescaling(1 / 127.5, offset=-1)])),
    "two rescalings": ("x/255, then 2x-0.9", dict(before=[lambda: L.Rescaling(1 / 255), lambda: L.Rescaling(2.0, offset=-0.9)])),
    "dropout": ("and augmentation layers", dict(dropout=True)),
    "ReLU layers": ("instead of Activation", dict(activation=lambda: L.ReLU())),
    "separable in two layers": ("DepthwiseConv2D, Conv2D 1x1", dict(separable=two_layers)),
    "shortcut not padded": ("the same for 1x1", dict(shortcut=lambda n, last: L.Conv2D(n, 1, strides=2, use_bias=False))),
    "no softmax": ("logits", dict(end=lambda x: L.GlobalAveragePooling2D()(x))),
    "softmax layer": ("Softmax, pooling keeps its sides", dict(end=lambda x: L.Softmax()(L.GlobalAveragePooling2D(keepdims=True)(x)))),
    "64-bit weights": ("float64", dict(dtype="float64")),
    "all of these": ("what can be otherwise, at once", dict(
        size=30, stem=(3, 4), modules=(5, 6), classes=3, conv_bias=True, head=dict(use_bias=False), norm=dict(epsilon=1e-2, momentum=0.9, scale=False),
        before=[lambda: L.Rescaling(1 / 255), lambda: L.Rescaling(2.0, offset=-0.9)], dropout=True, activation=lambda: L.ReLU(), separable=two_layers,
        shortcut=lambda n, last: L.Conv2D(n, 1, strides=2), end=lambda x: L.Softmax()(L.GlobalAveragePooling2D(keepdims=True)(x)))),
    "last module does not stride": ("neither strides nor pools", stride(last_only=True)),
    "no module strides": ("", stride()),
    "pool 2x2": ("", dict(pool=lambda last: L.MaxPooling2D(2, 2, padding="same"))),
    "pool strides 1 in the last": ("with a shortcut that strides 1", dict(
        pool=lambda last: L.MaxPooling2D(3, 1 if last else 2, padding="same"),
        shortcut=lambda n, last: L.Conv2D(n, 1, strides=1 if last else 2, padding="same", use_bias=False))),
    "average pooling": ("in the modules", dict(pool=lambda last: L.AveragePooling2D(3, 2, padding="same"))),
    "padded stem": ("padding same", dict(stem_conv=dict(padding="same"))),
    "stem 5x5": ("", dict(stem_conv=dict(kernel_size=5))),
    "stem strides 2": ("", dict(size=64, stem_conv=dict(strides=2))),
    "dilated": ("separable convolutions, 2", dict(separable_args=dict(dilation_rate=2))),
    "depth multiplier": ("2", dict(separable_args=dict(depth_multiplier=2))),
    "5x5 separable": ("", dict(separable=lambda n: lambda x: L.SeparableConv2D(n, 5, padding="same", use_bias=False)(x))),
    "groups": ("2 in the second convolution", dict(stem=(4,), before=[lambda: L.Conv2D(4, 3, use_bias=False), lambda: L.BatchNormalization(), lambda: L.Activation("relu")], stem_conv=dict(groups=2))),
    "elu": ("", dict(activation=lambda: L.Activation("elu"))),
    "leaky relu": ("ReLU, negative_slope 0.1", dict(activation=lambda: L.ReLU(negative_slope=0.1))),
    "relu6": ("ReLU, max_value 6", dict(activation=lambda: L.ReLU(max_value=6.0))),
    "activation inside": ("relu in the convolution, before batch norm", dict(stem_conv=dict(activation="relu"))),
    "relu after addition": ("", dict(after_join=[lambda: L.Activation("relu")])),
    "concatenated": ("instead of added", dict(join=lambda: L.Concatenate())),
    "no shortcut": ("", dict(shortcut=lambda n, last: None)),
    "shortcut without norm": ("", dict(shortcut_norm=False)),
    "no batch norms": ("", dict(after_norm=False)),
    "three channels": ("colour", dict(channels=3)),
    "not square": ("32x40", dict(shape=(32, 40, 1))),
    "any size": ("no sides given", dict(shape=(None, None, 1))),
    "dense head": ("flat, then Dense", dict(end=lambda x: L.Dense(7, activation="softmax")(L.GlobalAveragePooling2D()(x)))),
    "sigmoid": ("", dict(end=lambda x: L.Activation("sigmoid")(L.GlobalAveragePooling2D()(x)))),
    "two outputs": ("", dict(outputs=2)),
    "16-bit weights": ("float16", dict(dtype="float16")),
}

# ---- the forward pass in NumPy ------------------------------------------------------------------------------------------------------


def pair(v):
    return (v, v) if isinstance(v, int) else tuple(v)


def windows(x, kernel, strides, padding, dilation=(1, 1), fill=0.0):
    """[n, out, out, kh, kw, c]"""
    pads = []
    for axis in (0, 1):
        span = (kernel[axis] - 1) * dilation[axis] + 1
        n = x.shape[1 + axis]
        need = max((-(-n // strides[axis]) - 1) * strides[axis] + span - n, 0) if padding == "same" else 0
        pads.append((need // 2, need - need // 2))
    x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    span = [(kernel[a] - 1) * dilation[a] + 1 for a in (0, 1)]
    w = np.lib.stride_tricks.sliding_window_view(x, span, axis=(1, 2))[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
    return np.moveaxis(w, 3, 5)


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softmax": lambda x: x,  # figures are of logits
    "sigmoid": lambda x: x,
}


def apply(layer, config, weights, inputs):
    x = inputs[0] if inputs else None
    act = ACTIVATIONS[config.get("activation", "linear")]
    bias = weights.get("bias", 0)
    if layer == "Conv2D":
        w = windows(x, pair(config["kernel_size"]), pair(config["strides"]), config["padding"], pair(config["dilation_rate"]))
        kernel, groups = weights["kernel"], config.get("groups", 1)
        each = kernel.shape[2]
        parts = [np.einsum("nyxijc,ijco->nyxo", w[..., g * each : (g + 1) * each], np.split(kernel, groups, 3)[g]) for g in range(groups)]
        return act(np.concatenate(parts, 3) + bias)
    if layer in ("DepthwiseConv2D", "SeparableConv2D"):
        w = windows(x, pair(config["kernel_size"]), pair(config["strides"]), config["padding"], pair(config["dilation_rate"]))
        kernel = weights.get("depthwise_kernel", weights.get("kernel"))
        y = np.einsum("nyxijc,ijcm->nyxcm", w, kernel)
        y = y.reshape(*y.shape[:3], -1)
        if layer == "SeparableConv2D":
            y = y @ weights["pointwise_kernel"][0, 0]
        return act(y + bias)
    if layer == "BatchNormalization":
        scale = weights.get("gamma", 1) / np.sqrt(weights["moving_variance"] + config["epsilon"])
        return (x - weights["moving_mean"]) * scale + weights.get("beta", 0)
    if layer in ("Activation", "Softmax"):
        return ACTIVATIONS.get(config.get("activation", "softmax"))(x)
    if layer == "ReLU":
        y = np.where(x > 0, x, x * config["negative_slope"])
        return y if config["max_value"] is None else np.minimum(y, config["max_value"])
    if layer in ("MaxPooling2D", "AveragePooling2D"):
        fill = -np.inf if layer[0] == "M" else np.nan
        w = windows(x, pair(config["pool_size"]), pair(config["strides"]), config["padding"], fill=fill)
        return w.max((3, 4)) if layer[0] == "M" else np.nanmean(w, (3, 4))
    if layer == "GlobalAveragePooling2D":
        return x.mean((1, 2))
    if layer == "GlobalMaxPooling2D":
        return x.max((1, 2))
    if layer == "Add":
        return inputs[0] + inputs[1]
    if layer == "Concatenate":
        return np.concatenate(inputs, -1)
    if layer == "Dense":
        return x @ weights["kernel"] + bias
    if layer == "Rescaling":
        return x * config["scale"] + config["offset"]
    assert layer.startswith("Random") or "Dropout" in layer, layer
    return x


def forward(path, pixels):
    """Logits [n, classes] in float64 of grey pixels [n, h, w, channels]."""
    with h5py.File(path) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        rescales = any(layer["class_name"] == "Rescaling" for layer in layers)
        values, group = {}, file["model_weights"]
        for layer in layers:
            name, config = layer["name"], layer["config"]
            weights = {}
            group[name].visititems(lambda key, item: weights.update({key.split("/")[-1].removesuffix(":0"): item[()].astype(np.float64)}) if isinstance(item, h5py.Dataset) else None)
            if layer["class_name"] == "InputLayer":
                values[name] = pixels.astype(np.float64) if rescales else pixels / 127.5 - 1
                continue
            sources = [call[0] for call in layer["inbound_nodes"][0]] if isinstance(layer["inbound_nodes"][0], list) else []  # Keras 2
            walk = lambda v: [walk(i) for i in v] if isinstance(v, list) else sources.append(v["config"]["keras_history"][0]) if isinstance(v, dict) and v.get("class_name") == "__keras_tensor__" else None
            if not sources:
                walk(layer["inbound_nodes"][0]["args"])
            values[name] = apply(layer["class_name"], config, weights, [values[s] for s in sources])
        out = json.loads(file.attrs["model_config"])["config"]["output_layers"]
        return values[out[0] if isinstance(out[0], str) else out[0][0]]


# ---- all of them --------------------------------------------------------------------------------------------------------------------


def peer(path, rng):
    """A file that others made: its logits of noise."""
    with h5py.File(path) as file:
        side = next(layer for layer in json.loads(file.attrs["model_config"])["config"]["layers"])["config"]["batch_input_shape"][1]
    pixels = rng.integers(0, 256, (8, side, side, 1), dtype=np.uint8)
    return dict(name=os.path.basename(path), what="a file of others", file=path, pixels=pixels.reshape(8, -1).tolist(), side=side,
                logits=forward(path, pixels).tolist())


def main(folder, *peers, only=None):
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(17)
    table = []
    for number, (name, (what, changes)) in enumerate(VARIANTS.items()):
        if only not in (None, name):
            continue
        model = build(**changes)
        for layer in model.layers:
            weights = layer.get_weights()
            names = [w.name for w in layer.weights]
            layer.set_weights([
                rng.uniform(0.1, 1.5, w.shape) if "variance" in n else rng.normal(0, 0.2, w.shape) + 0.7 * ("gamma" in n) if w.ndim == 1
                else rng.normal(0, 1.0 / np.sqrt(np.prod(w.shape[:-1])), w.shape) for n, w in zip(names, weights)])
        path = os.path.join(folder, f"{number:02}-{name.replace(' ', '-').replace('/', '-')}.h5")
        model.save(path)
        if changes.get("dtype") == "float16":  # as a tool that halves files leaves it
            with h5py.File(path, "a") as file:
                halve = []
                file["model_weights"].visititems(lambda key, item: halve.append(key) if isinstance(item, h5py.Dataset) and item.dtype == np.float32 else None)
                for key in halve:
                    values = file["model_weights"][key][()]
                    del file["model_weights"][key]
                    file["model_weights"][key] = values.astype(np.float16)
        shape = [s or 32 for s in model.inputs[0].shape[1:]]
        pixels = rng.integers(0, 256, (3, *shape), dtype=np.uint8)
        logits = forward(path, pixels).reshape(3, -1)
        rescales = any(isinstance(layer, L.Rescaling) for layer in model.layers)
        theirs = model.predict(pixels.astype(np.float64) if rescales else pixels / 127.5 - 1, verbose=0)
        theirs = np.asarray(theirs[0] if isinstance(theirs, list) else theirs).reshape(3, -1)
        ours = logits
        if name not in ("no softmax", "sigmoid"):
            e = np.exp(logits - logits.max(1, keepdims=True))
            ours = e / e.sum(1, keepdims=True)
        elif name == "sigmoid":
            ours = 1 / (1 + np.exp(-logits))
        table.append(dict(name=name, what=what, file=os.path.basename(path), pixels=pixels[..., 0].reshape(3, -1).tolist(), side=shape[0],
                          logits=logits.tolist(), keras=float(np.abs(ours - theirs).max())))
        print(f"{name}: NumPy and Keras differ by {table[-1]['keras']:.1e}", file=sys.stderr)
    table += [peer(path, rng) for path in peers]
    with open(os.path.join(folder, "variants.json"), "w") as file:
        json.dump(table, file)


if sys.argv[1] == "--fixture":  # the file of a test: test/fixtures/keras
    main(sys.argv[2], only="all of these")
else:
    main(*sys.argv[1:])
