"use strict";

/* Every word that people read or hear, but for the line in page.html for those without scripts. */

const number = (value) => value.toLocaleString("en");
const share = (value, places = 1) => `${(100 * value).toFixed(places)}\u00a0%`;
const area = (height, width = height) => `${height}\u00a0×\u00a0${width}`;

const WORDS = {
  title: "inkdigits",
  tagline: "Draw a digit. The neural network in this page reads it as you draw.",

  board: "Drawing board",
  boardHelp:
    "Arrow keys move the pen, with Shift in larger steps. Space lowers and lifts it. " +
    "Backspace takes back the last stroke. Escape clears the board.",
  hint: "Draw here",
  brush: "Brush",
  undo: "Undo",
  clear: "Clear",
  keys: "Drawing with the keyboard",
  penDown: "Pen down.",
  penUp: "Pen up.",

  reading: "What it reads",
  nothingYet: "Draw a digit",
  notADigit: "Not a digit",
  sure: "Sure",
  fairlySure: "Fairly sure",
  notSure: "Not sure",
  nothingKnown: "It has not seen anything yet.",
  noneKnown: (answer) => `It is ${share(answer.notADigit)} sure of that.`,
  sureness: (answer, words) => `${words}: ${share(answer.confidence)} for ${answer.digit}.`,
  spoken: (answer, words) => `It reads ${answer.digit}. ${words}, ${share(answer.confidence)}.`,

  bars: "How probable each digit is",
  barDigit: "Digit",
  barProbability: "Probability",
  barNone: "none",
  probability: (value) => (value === null ? "–" : share(value)),

  glyph: "What the network sees",
  glyphCaption: `${area(28)} pixels`,

  how: "How it works",
  howGlyph:
    "First the drawing is made like the digits that the network has learned from: scaled to fit " +
    `${area(20)} pixels, its strokes made neither too thin nor too thick, and its centre of mass ` +
    `moved to the middle of ${area(28)} pixels. Ink is 255, paper 0.`,
  howNetwork:
    "Then these 784 numbers go through the layers below, one after the other. A layer multiplies " +
    "what it gets by its parameters and adds up; it found the best parameters itself, from " +
    "thousands of digits that people had written.",
  howAnswer:
    "Out come ten numbers, one for each digit. They are turned into probabilities that sum to " +
    "100\u00a0%.",
  howNone:
    "An eleventh number says how probable it is that this is no digit at all. The network has " +
    "seen scribbles and letters too.",
  layers: "The layers of the network",
  layer: "Layer",
  makes: "What it gives",
  parameters: "Parameters",
  total: "All together",
  count: number,
  size: (shape) =>
    shape.length === 1
      ? `${number(shape[0])} numbers`
      : shape.length === 2
        ? area(...shape)
        : `${number(shape[0])} pictures, ${area(shape[1], shape[2])}`,
  kinds: {
    AveragePool2d: ({ size }) => `Mean of each square of ${area(size)}`,
    BatchNorm: () => "Each feature brought to the same spread",
    Conv2d: ({ outputs, kernel }) =>
      `${number(outputs)} patterns of ${area(kernel)} looked for at every place`,
    Dense: () => "Everything weighed against everything",
    Downsample: ({ factor }) => `Squares of ${area(factor)} pixels added up`,
    Dropout: () => "Silences values while learning; does nothing here",
    Flatten: () => "All in one column",
    GlobalAveragePool: () => "Mean of each picture",
    LeakyReLU: () => "What is below zero made small",
    MaxPool2d: ({ size }) => `Largest value of each square of ${area(size)}`,
    MeanOfCopies: () => "Mean of what was seen in all looks",
    ReLU: () => "What is below zero set to zero",
    Rescale: () => "Pixels brought to a range that the network likes",
    ShiftedCopies: ({ copies }) => `${copies} looks, moved by a pixel each`,
    Sigmoid: () => "Everything bent to between 0 and 1",
    Tanh: () => "Everything bent to between −1 and 1",
  },

  model: ({ recipe, scores, parameters, version }) =>
    [
      `This page holds a model of the recipe “${recipe}” with ${number(parameters)} parameters.`,
      ...scores.map(
        ({ name, accuracy, total }) =>
          `Of ${number(total)} ${WORDS.sets[name] ?? name} it read ${share(accuracy, 2)} right.`,
      ),
      `Made with inkdigits ${version}.`,
    ].join(" "),
  sets: {
    test: "test digits",
    validation: "digits kept for checking",
  },
  privacy: "Nothing that you draw leaves this page. It needs no network and works offline.",
};
