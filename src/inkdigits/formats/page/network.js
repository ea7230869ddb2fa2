"use strict";

/* The network: pixels in, logits out; what `predict` of each layer does in inkdigits.network.

   What goes from layer to layer is { shape, values }: a Float32Array that holds, row by row, a
   picture [H, W], channels of pictures [C, H, W], or a column of features [D]. Python sends a batch
   on its way; here it is one sample, so the axis of the samples is left out.

   A layer is a function of what comes in, its weights by name, and its options by name. */

function zeros(shape) {
  return { shape, values: new Float32Array(shape.reduce((all, side) => all * side, 1)) };
}

/* Channels of pictures, [C, H, W]: one picture alone is one channel. */
function withChannels({ shape, values }) {
  return { shape: shape.length === 2 ? [1, ...shape] : shape, values };
}

/* y = f(x), each value by itself. */
function each(x, f) {
  return { shape: x.shape, values: x.values.map(f) };
}

/* y = scale · x + offset: grey values 0 to 255 become what a network likes. */
function rescale(x, weights, { scale, offset }) {
  return each(x, (value) => scale * value + offset);
}

/* Each pixel is the sum of a square of factor × factor. */
function downsample(x, weights, { factor }) {
  return pooled(x, factor, 0, (sum, value) => sum + value);
}

/* Everything as one column. */
function flatten(x) {
  return { shape: [x.values.length], values: x.values };
}

/* y = W x + b: every output sees every input. */
function dense(x, { weight, bias }, { inputs, outputs }) {
  const y = zeros([outputs]);
  for (let m = 0; m < outputs; m++) {
    let sum = 0;
    for (let d = 0; d < inputs; d++) sum += weight[m * inputs + d] * x.values[d];
    y.values[m] = bias ? sum + bias[m] : sum;
  }
  return y;
}

/* y[m, h, w] = Σ W[m, c, i, j] · x[c, h·stride + i, w·stride + j] + b[m].

   One weight after the other takes its whole picture, moved by (i, j), into the sum: the innermost
   loop runs along a row of both, which is what makes it fast. */
function conv2d(x, { weight, bias }, { outputs, kernel, stride, padding }) {
  const padded = padding === "same" ? withMargins(x, kernel, stride) : withChannels(x);
  const [channels, height, width] = padded.shape;
  const from = padded.values;
  const rows = Math.floor((height - kernel) / stride) + 1;
  const columns = Math.floor((width - kernel) / stride) + 1;
  const y = zeros([outputs, rows, columns]);
  let next = 0;
  for (let m = 0; m < outputs; m++) {
    const sum = y.values.subarray(m * rows * columns, (m + 1) * rows * columns);
    if (bias) sum.fill(bias[m]);
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < kernel; i++) {
        for (let j = 0; j < kernel; j++) {
          const one = weight[next++];
          for (let h = 0; h < rows; h++) {
            const start = (c * height + h * stride + i) * width + j;
            for (let w = 0; w < columns; w++) {
              sum[h * columns + w] += one * from[start + w * stride];
            }
          }
        }
      }
    }
  }
  return y;
}

/* Zeros around, so that the places on a side are its length / stride, rounded up. */
function withMargins(x, kernel, stride) {
  const { shape, values } = withChannels(x);
  const [channels, height, width] = shape;
  const margins = (side) =>
    Math.max(0, (Math.ceil(side / stride) - 1) * stride + kernel - side);
  const top = Math.floor(margins(height) / 2);
  const left = Math.floor(margins(width) / 2);
  const y = zeros([channels, height + margins(height), width + margins(width)]);
  const [, tall, wide] = y.shape;
  for (let c = 0; c < channels; c++) {
    for (let h = 0; h < height; h++) {
      const start = (c * height + h) * width;
      y.values.set(values.subarray(start, start + width), (c * tall + top + h) * wide + left);
    }
  }
  return y;
}

/* y = scale · (x − mean) / √(variance + ε) + shift, with each feature's running statistics. */
function batchNorm(x, { scale, shift, mean, variance }, { features, epsilon }) {
  const y = zeros(x.shape);
  const count = x.values.length / features;
  for (let c = 0; c < features; c++) {
    const factor = (scale ? scale[c] : 1) / Math.sqrt(variance[c] + epsilon);
    const offset = shift[c] - mean[c] * factor;
    for (let n = c * count; n < (c + 1) * count; n++) y.values[n] = factor * x.values[n] + offset;
  }
  return y;
}

/* Squares of size × size side by side, each folded into one value by f; what is left over at the
   right and below is ignored. */
function pooled(x, size, start, f) {
  const [channels, height, width] = withChannels(x).shape;
  const rows = Math.floor(height / size);
  const columns = Math.floor(width / size);
  const y = zeros([...x.shape.slice(0, -2), rows, columns]);
  y.values.fill(start);
  for (let c = 0; c < channels; c++) {
    for (let h = 0; h < rows * size; h++) {
      for (let w = 0; w < columns * size; w++) {
        const square = (c * rows + Math.floor(h / size)) * columns + Math.floor(w / size);
        y.values[square] = f(y.values[square], x.values[(c * height + h) * width + w]);
      }
    }
  }
  return y;
}

function maxPool2d(x, weights, { size }) {
  return pooled(x, size, -Infinity, Math.max);
}

function averagePool2d(x, weights, { size }) {
  return pooled(x, size, 0, (sum, value) => sum + value / size ** 2);
}

/* The mean of each channel: a column of features. */
function globalAveragePool(x) {
  const [channels, height, width] = withChannels(x).shape;
  const y = zeros([channels]);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let n = 0; n < height * width; n++) sum += x.values[c * height * width + n];
    y.values[c] = sum / (height * width);
  }
  return y;
}

function relu(x) {
  return each(x, (value) => Math.max(value, 0));
}

function leakyRelu(x, weights, { slope }) {
  return each(x, (value) => (value > 0 ? value : slope * value));
}

/* σ(x) = 1 / (1 + e⁻ˣ) */
function sigmoid(x) {
  return each(x, (value) => 1 / (1 + Math.exp(-value)));
}

function tanh(x) {
  return each(x, Math.tanh);
}

/* It silences values in training alone. */
function dropout(x) {
  return x;
}

/* A second look, and a third, at the same digit: as it is, then moved by a pixel. */
function shiftedCopies([x], { copies }) {
  const [height, width] = x.shape;
  const moves = [[0, 0], [0, 1], [1, 0], [0, -1], [-1, 0], [1, 1], [1, -1], [-1, 1], [-1, -1]];
  return moves.slice(0, copies).map(([down, right]) => {
    const y = zeros(x.shape);
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w++) {
        const [row, column] = [h - down, w - right];
        if (row >= 0 && row < height && column >= 0 && column < width) {
          y.values[h * width + w] = x.values[row * width + column];
        }
      }
    }
    return y;
  });
}

/* The mean of what the layers between made of each look. */
function meanOfCopies(looks) {
  const sum = (m) => looks.reduce((all, look) => all + look.values[m], 0);
  return [each(looks[0], (_, m) => sum(m) / looks.length)];
}

/* The names that Python knows the layers by. */
const LAYERS = {
  AveragePool2d: averagePool2d,
  BatchNorm: batchNorm,
  Conv2d: conv2d,
  Dense: dense,
  Downsample: downsample,
  Dropout: dropout,
  Flatten: flatten,
  GlobalAveragePool: globalAveragePool,
  LeakyReLU: leakyRelu,
  MaxPool2d: maxPool2d,
  ReLU: relu,
  Rescale: rescale,
  Sigmoid: sigmoid,
  Tanh: tanh,
};

/* The two that turn one look into several, and back. */
const LAYERS_OF_LOOKS = { ShiftedCopies: shiftedCopies, MeanOfCopies: meanOfCopies };

/* The network: the model's description of its layers, and their weights out of one long vector.

   Little-endian float32, as the page holds it, is what every machine with a browser has too. */
function networkFrom({ layers, inputShape }, base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  let start = 0;
  const cut = ([name, shape]) => {
    const size = shape.reduce((all, side) => all * side, 1);
    const array = new Float32Array(bytes.buffer, 4 * start, size);
    start += size;
    return [name, array];
  };
  return {
    inputShape,
    layers: layers.map(({ name, options, arrays }) => ({
      name,
      options,
      weights: Object.fromEntries(arrays.map(cut)),
    })),
  };
}

/* The logits for a glyph: 784 pixels, 0 paper to 255 ink. */
function predict(network, glyph) {
  let looks = [{ shape: network.inputShape, values: Float32Array.from(glyph) }];
  for (const { name, weights, options } of network.layers) {
    looks =
      name in LAYERS_OF_LOOKS
        ? LAYERS_OF_LOOKS[name](looks, options)
        : looks.map((x) => LAYERS[name](x, weights, options));
  }
  return looks[0].values;
}

/* e^z / Σ e^z, after the largest is taken off, so that nothing overflows. */
function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}

/* What the logits say, as `Model.answer` in Python:

   probabilities  of each digit if it is one: they sum to 1
   notADigit      how probable it is that this is none; null where the model has not learned to tell
   digit          the most probable
   confidence     how probable it is that this is a digit, and that one
   rejected       whether the answer is better not given */
function answerFrom(logits, { temperature, threshold }) {
  const scaled = Array.from(logits, (logit) => logit / temperature);
  const probabilities = softmax(scaled.slice(0, 10));
  const notADigit = scaled.length > 10 ? softmax(scaled)[10] : null;
  const highest = Math.max(...probabilities);
  const confidence = highest * (1 - (notADigit ?? 0));
  return {
    probabilities,
    notADigit,
    digit: probabilities.indexOf(highest),
    confidence,
    rejected: confidence < threshold,
  };
}
