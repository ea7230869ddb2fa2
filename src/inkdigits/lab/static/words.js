/* Every word that people read or hear in the lab, but for what the reader and the server say in
   their own (explanations, recipes' purposes, errors). One object a language; this is English. */

/** @param {number} value */
const count = (value) => value.toLocaleString("en");

/** @param {number} value 0 to 1 @param {number} [places] */
const share = (value, places = 1) => `${(100 * value).toFixed(places)}\u00a0%`;

/** @param {number} seconds */
function time(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)}\u00a0s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}\u00a0min`;
  return `${(seconds / 3600).toFixed(1)}\u00a0h`;
}

/** @type {TextsOf} */
const textsOf = (part, texts) => texts;

export const lab = textsOf("lab", {
  name: "inkdigits",
  title: (view) => `${view} – inkdigits lab`,
  skip: "Skip to the view",
  ways: "Views",
  views: {
    draw: ["Draw", "Draw a digit, or show a picture of one, and have it read."],
    train: ["Train", "Watch a network learn from 50,000 digits, here and now."],
    look: ["Look", "Follow a digit through the network, down to each multiplication."],
  },
  model: [
    "Model",
    "Which network answers in Draw and Look: the one that comes along, or one of yours.",
  ],
  more: ["Show more", "Shows the next of these digits."],
  glyph: "A digit of 28 by 28 pixels",
  gone: "The lab does not answer. Start it again with inkdigits lab; nothing is lost, and this page goes on by itself.",
  refused: (status) => `The lab refused this (HTTP ${status}): reload the page.`,
});

/** @param {number} digit */
const a = (digit) => `${digit === 8 ? "an" : "a"}\u00a0${digit}`;

export const draw = textsOf("draw", {
  barNone: "none",
  bars: "How probable each digit is",
  barDigit: "Digit",
  barProbability: "Probability",

  board: "Drawing board",
  boardHelp: "Draw a digit with pen, finger or mouse; it is read while you draw.",
  brush: ["Brush", "How wide the next stroke will be."],
  undo: ["Undo", "Takes back the last stroke, or the last clearing."],
  clear: ["Clear", "Takes the drawing away; Undo brings it back."],
  keys: "Drawing with the keyboard",
  keysHelp:
    "Arrow keys move the pen, with Shift in larger steps. Space lowers and lifts it. " +
    "Backspace takes back the last stroke. Escape clears the board.",
  penDown: "Pen down.",
  penUp: "Pen up.",

  sources: "Or show a picture of a digit or of numbers",
  choose: ["Choose a picture", "A photo or scan of numbers; you can also drop or paste one."],
  camera: ["Camera", "Take a picture of digits on paper; it stays on this computer."],
  back: ["Back to drawing", "Puts the picture away; your drawing is still there."],
  tooLarge: (most) => `A picture may have up to ${most}\u00a0MB: make this one smaller.`,
  noPicture: "That was no picture file: drop or paste a PNG or JPEG.",
  stagePicture: "The picture, and where its digit is",
  stageInk: "Its ink",
  stagePage: "The picture, and its numbers: choose a digit",

  numbers: "Numbers",
  numbersHelp: "Choose a digit, by click or arrow keys, to see how it is read.",
  digitOf: (sign, digit, probability) =>
    `${digit}${sign === "?" ? ", not sure" : ""}: ${share(probability, 0)}`,
  onPage: (probability, digit) => `As part of its number: ${share(probability)} for ${digit}.`,
  copy: ["Copy", "Copies the numbers as text, line by line."],
  copied: "Copied.",
  csv: ["CSV", "Saves the numbers for a spreadsheet, a row for each line."],

  take: ["Take picture", "Hold a digit or a page before the camera, large and in good light."],
  close: ["Close", "Switches the camera off, without a picture."],
  cameraNone: "No camera was found: connect one, or choose a picture instead.",
  cameraRefused: "The camera is not allowed here: allow it, or choose a picture instead.",
  cameraBusy: "The camera does not answer: another program may be using it.",

  reading: "What it reads",
  nothingYet: "Draw a digit",
  wait: "reading\u00a0…",
  noInk: "No ink",
  noInkKnown: "Nothing stands out from the paper.",
  notADigit: "Not a digit",
  noneKnown: (none) => `It is ${share(none)} sure of that.`,
  sure: "Sure",
  fairlySure: "Fairly sure",
  notSure: "Not sure",
  sureness: (how, confidence, digit) => `${how}: ${share(confidence)} for ${digit}.`,
  glyph: "What the network sees",

  nearest: "Training digits most like it",
  nearestAmong: (among) => `The nearest of ${count(among)}, as this network sees them.`,
  nearestWait: "Looking for them\u00a0…",

  what: "Is it wrong? Say what it is.",
  explain: "Just explain",
  whatHelp: "Explains the answer, and offers to keep the digit with its label.",
  explaining: "Trying what would alter the answer\u00a0…",
  trials: "What alters the answer",
  allTrials: (total) => `All ${total} changes that were tried`,
  noneAlters: (total) => `None of ${total} changes does.`,
  trial: (name, digit, confidence) =>
    digit === null ? `${name}: nothing` : `${name}: ${digit}, ${share(confidence, 0)}`,
  keep: (digit) => [
    `Keep this as ${a(digit)}`,
    "Keeps the digit with its label, for the network to learn from.",
  ],
  keptNow: (digit) => `It is kept as ${a(digit)}.`,

  kept: "Your corrections",
  keptNone: "None yet. When a digit is read wrong, say what it is and keep it.",
  keptCount: (counts) =>
    `Kept: ${counts.flatMap((n, digit) => (n ? `${count(n)} × ${digit}` : [])).join(", ")}. ` +
    "Choose one to remove it.",
  drop: "Remove this",
  dropHelp: "Removes the digit; it can be brought back at once.",
  dropped: "The digit was removed.",
  bring: ["Bring it back", "Keeps it again."],

  learn: [
    "Learn from my corrections",
    "Goes on training the model; of five digits or more, a fifth is held out to test it.",
  ],
  lessonName: (model, total) => `${model} with ${count(total)} of mine`,
  learning: (model) => `It goes on from “${model}”.`,
  left: (seconds) => `${time(seconds)} left`,
  measuring: "Seeing how well it reads\u00a0…",
  stop: ["Stop", "Ends the lesson here."],
  learned: (name) => `“${name}” answers now: the model is chosen above.`,
  learnEnded: "The lesson ended early.",
  lesson: "Before and after",
  columns: ["Digits", "Before", "After"],
  ofMnist: "MNIST",
  ofOwn: "Yours, held out",
  range: ([low, high]) => `${(100 * low).toFixed(1)} to ${share(high)}`,
  interval: "Right answers, with the range that holds the true share in 95\u00a0% of cases.",
});

/** @param {number} value */
const twoDigits = (value) => String(Number(value.toPrecision(2)));

/** @param {number} epoch */
const hundredths = (epoch) => String(Math.round(100 * epoch) / 100);

/** @param {number} seconds */
const about = (seconds) => (seconds < 1 ? time(seconds) : `about ${time(seconds)}`);

/** @param {number | null | undefined} value @param {(value: number) => string} said */
const orDash = (value, said) => (typeof value === "number" ? said(value) : "–");

/** @type {Record<string, string>} */
const settingValues = {
  relu: "ReLU",
  "leaky-relu": "leaky ReLU",
  sgd: "gradient descent",
  momentum: "with momentum",
  nesterov: "Nesterov",
  adam: "Adam",
  "squared-error": "squared error",
  "one-cycle": "one cycle",
  shift: "shifted",
  hand: "another hand",
  strong: "strongly bent",
  own: "the recipe’s own",
};

/**
 * Settings and what they become.
 *
 * @param {Record<string, any>} values
 * @param {(name: string, value: string) => string} said
 */
const changed = (values, said) =>
  Object.entries(values)
    .map(([name, value]) => {
      if (name === "network") return `Take ${settingValues[value.activation]}`;
      const text = typeof value === "number" ? twoDigits(value) : (value ?? "none");
      return said(name, name === "images" ? count(value) : (settingValues[text] ?? text));
    })
    .join(", ");

/** @type {Record<string, (values: Record<string, any>) => string>} what is off with a run */
const hintOf = {
  rate_too_high: ({ rate }) =>
    `The loss rises instead of falling: the rate of ${twoDigits(rate)} is too high, so each step overshoots.`,
  rate_too_low: ({ rate }) =>
    `The loss hardly falls: the rate of ${twoDigits(rate)} is too low, so the steps are tiny.`,
  dead_units: ({ share: part }) =>
    `${share(part, 0)} of a layer’s units answer nothing to any digit, and so cannot learn any more.`,
  overfitting: () =>
    "It gets better at the digits that it learns from, but not at others: it learns them by heart.",
  few_images: ({ images }) =>
    `It knows its ${count(images)} images by heart, and reads others worse: more images teach it what digits have in common.`,
  vanishing_gradient: () =>
    "Hardly any gradient reaches the first layers: the activation flattens it on its way.",
  learned: ({ epochs }) =>
    `The last ${epochs} epochs brought nothing: smaller steps may find the rest, or it has learned what it can.`,
};

export const train = textsOf("train", {
  form: "A new network",
  recipe: ["Recipe", "A recipe that has proved itself, or layers of your own."],
  own: "My own network",
  ownPurpose: "Layers of your choice; the last, of ten outputs, comes by itself.",
  purpose: ({ purpose, seconds }) =>
    seconds ? `${purpose}; ${about(seconds)} when it was measured` : purpose,
  start: ["Start", "Trains this network; the page may be closed meanwhile."],
  startBusy: (name) => `One network learns at a time: stop “${name}” first, or wait for its end.`,
  estimate: (parameters, seconds) =>
    `${count(parameters)} parameters${seconds === null ? "" : `, ${about(seconds)}`}`,
  filled: "Changed in the settings: press Start to try it.",

  layers: "Layers",
  layer: (n) => `Layer ${n}`,
  kind: [
    "Kind",
    "A convolution looks for small patterns everywhere; a dense layer weighs all at once.",
  ],
  kinds: /** @type {Record<string, string>} */ ({ convolution: "Convolution", dense: "Dense" }),
  units: ["Units", "How many patterns it can tell apart: more learn more, and take longer."],
  kernel: ["Kernel", "The side of the patch that a convolution looks at, in pixels."],
  pool: ["Pooling", "Keeps the largest of each two by two: a quarter of the work."],
  add: ["Add a layer", "Adds a dense layer before the ten outputs."],
  up: ["Earlier", "Moves this layer towards the pixels."],
  down: ["Later", "Moves this layer towards the answer."],
  takeAway: ["Remove", "Takes this layer away."],
  layersTable: "Layers and shapes",
  shapes: ["Layer", "Shape", "Parameters"],
  layerRow: (layer) => {
    const kernel = /kernel=(\d+)/.exec(layer.words)?.[1];
    const kind = layer.words.split("(")[0];
    const name = kernel ? `${kind} ${kernel}\u00a0×\u00a0${kernel}` : kind;
    return [name, layer.shape.join("\u00a0×\u00a0"), count(layer.parameters)];
  },

  activation: [
    "Activation",
    "The bend after each layer, without which all layers would be worth one.",
  ],
  loss: ["Loss", "What is made small: its surprise, or the square of its error."],
  optimizer: [
    "Optimizer",
    "How a gradient becomes a step: straight down, with momentum, or by Adam.",
  ],
  epochs: ["Epochs", "How often all images are gone through."],
  rate: ["Rate", "How far each step goes: too low learns slowly, too high not at all."],
  batch: ["Batch", "How many images a step is taken from: small ones are rough and many."],
  augmentation: [
    "Augmentation",
    "Shows each digit a little differently every time, as if by other hands.",
  ],
  schedule: ["Schedule", "Whether the rate stays, or rises and falls once over the run."],
  usual: (recipe) => (recipe ? settingValues.own : "as is usual"),
  more: "More",
  images: ["Images", "How many of the 50,000 training images it learns from."],
  wrongLabels: ["Wrong labels, %", "Gives that share of the images a wrong label."],
  seed: ["Seed", "All chance comes from it: the same seed gives the same network."],
  value: (value) => settingValues[value] ?? value,

  run: "The run",
  noRun:
    "Press Start, and watch a network learn to read: its curves, its weights and its mistakes.",
  runName: "Name of this run",
  runNameHelp: "What the run and its model are called: change it as you like.",
  state: ({ state, epoch, epochs }, left) => {
    const after = `after ${hundredths(epoch)} of ${epochs} epochs`;
    const now = `epoch ${Math.min(epochs, Math.floor(epoch) + 1)} of ${epochs}`;
    /** @type {Record<string, string>} */
    const sentences = {
      starting: "Starting.",
      running: `Learning, ${now}${left === null ? "" : `, ${time(left)} left`}.`,
      paused: `Paused ${after}.`,
      done: `Done ${after}.`,
      stopped: `Stopped ${after}, and kept.`,
      diverged: `Stopped ${after}: its numbers grew without bound.`,
      interrupted: `Interrupted ${after}: it can go on where it was.`,
      failed: "Failed.",
    };
    return sentences[state];
  },
  progress: "Progress of the run",
  pause: ["Pause", "Holds the training where it is."],
  go: ["Go on", "Goes on with the training where it was."],
  oneMore: ["One more epoch", "Goes through all images once more than planned."],
  stop: ["Stop and keep", "Ends the training and keeps the network as it is."],
  use: ["Use it in Draw", "Lets this network read what you draw."],
  pace: ["Speed", "Slow motion: so few steps a second that each can be watched."],
  paces: (steps) => (steps ? `${steps} ${steps === 1 ? "step" : "steps"} a second` : "full speed"),
  numbers: [
    "Epochs done",
    "Training loss",
    "Training accuracy",
    "Validation accuracy",
    "Images a second",
  ],
  epochOf: (done, epochs) => `${hundredths(done)} of ${epochs}`,
  lossOf: (value) =>
    orDash(value, (loss) => (loss >= 1000 ? loss.toExponential(1) : loss.toPrecision(3))),
  accuracyOf: (value, places = 1) => orDash(value, (accuracy) => share(accuracy, places)),
  perSecond: (value) => orDash(value, (images) => count(Math.round(images))),
  taught: ({ before, after }) => {
    const read = (/** @type {"mnist" | "own"} */ data) =>
      [before, after]
        .map((scores) => orDash(scores?.[data]?.accuracy, (value) => share(value, 2)))
        .join(", then ");
    const own = after?.own ? `; of your corrections ${read("own")}` : "";
    return `Read rightly of the validation digits: ${read("mnist")}${own}.`;
  },

  accuracyChart: "Accuracy",
  lossChart: "Loss",
  axis: "epochs",
  training: "training",
  validation: "validation",
  close: ["Close-up", "Stretches the charts to the later part of the curves."],
  chartNote:
    "Validation digits are never learned from. Lines: samples of 1,000; dots: all 10,000, after each epoch.",
  tick: (value) => String(Number(value.toPrecision(6))),
  tableSummary: "The curves as a table",
  table: "Figures by epoch",
  columns: [
    "Epochs",
    "Training loss",
    "Validation loss",
    "Training accuracy",
    "Validation accuracy",
  ],
  hundredths,

  knobs: "While it learns",
  number: twoDigits,
  changes: "Changed on the way",
  applied: ({ epoch, step, ...values }) =>
    `After ${hundredths(epoch)} epochs: ${changed(values, (name, value) => `${name} ${value}`)}`,
  notSteerable: "This recipe is the post’s own training, to the letter: it has no knobs.",

  weights: "First-layer weights",
  weightsNote: (shown, count) =>
    `${shown < count ? `The first ${shown} of ${count} units. ` : ""}Blue is above zero, orange below.`,
  weightsName: (count) => `The weights of ${count} units of the first layer`,
  gradients: "Gradients and dead units",
  gradientsNote:
    "How strongly each layer is pulled, how large its weights are, and how many units no digit wakes.",
  layerColumns: ["Layer", "Gradient", "Weights", "Dead units"],
  layerFigures: (layer) => [
    `${layer.layer} ${layer.name}`,
    orDash(layer.gradient_norm, twoDigits),
    orDash(layer.weight_norm, twoDigits),
    orDash(layer.dead, (dead) => share(dead, 0)),
  ],
  wrong: "Most wrong just now",
  wrongNote: "Validation digits: what each is, and what the network takes it for.",
  wrongCaption: ({ label, answer }) => `${label} → ${answer}`,
  wrongName: ({ label, answer, confidence }) =>
    `A ${label}, taken for a ${answer}, ${share(confidence, 0)} sure`,

  hints: "What could be better",
  hint: hintOf,
  fix: (values) =>
    changed(values, (name, value) =>
      name === "images" ? `Take ${value} images` : `Set the ${name} to ${value}`,
    ),
  fixNowHelp: "Changes it in the running training.",
  fixNextHelp: "Changes it in the settings, for another run.",

  kept: "Runs",
  noRuns: "Runs are kept here, to compare and to use.",
  select: "Shows this run.",
  facts: ({ state, accuracy, parameters, seconds }) => [
    state === "running" ? "learning" : state,
    orDash(accuracy, (value) => share(value, 2)),
    orDash(parameters, (value) => `${count(value)} parameters`),
    orDash(seconds, (value) => (value < 1 ? "< 1\u00a0s" : time(value))),
  ],
  of: (act, name) => `${act}: ${name}`,
  overlay: ["Overlay", "Draws its validation curves beside those of the run that is shown."],
  remove: ["Remove", "Deletes this run and its model, after asking."],
  removeAsk: (name) => `Remove “${name}”, its curves and its model?`,

  duel: "Duel",
  duelNote: "Two networks read the same 10,000 validation digits.",
  duelA: "One",
  duelB: "The other",
  duelHelp: "A run that has a model.",
  duelOption: ({ name, accuracy }) => (accuracy === null ? name : `${name}, ${share(accuracy, 2)}`),
  compare: ["Compare", "Shows which reads better, and where they disagree."],
  duelSame: "Choose two different runs.",
  duelColumns: ["Model", "Read rightly", "95\u00a0% interval", "Right alone"],
  duelRow: ({ name, accuracy, interval: [low, high] }, only) => [
    name,
    share(accuracy, 2),
    `${share(low, 2)} to ${share(high, 2)}`,
    count(only),
  ],
  duelSaid: ({ a, b, difference, p_value: p }) => {
    if (!difference) return "Both read equally many of the digits.";
    const [cases, all] = p < 0.01 ? [Math.round(1000 * p), "1,000"] : [Math.round(100 * p), "100"];
    const chance = p < 0.001 ? "fewer than 1 of 1,000" : `${cases} of ${all}`;
    const better = (a.correct > b.correct ? a : b).name;
    const points = (100 * Math.abs(difference)).toFixed(2);
    const verdict = p < 0.05 ? "" : " So this may well be chance.";
    return `“${better}” is better by ${points} points of a hundred. By chance alone such a difference would come up in ${chance} cases.${verdict}`;
  },
  agree: "They agree on every digit.",
  disagree: "Where they disagree",
  disagreeNote: "What it is, and what the one and the other say.",
  disagreeCaption: ({ label, a, b }) => `${label}: ${a} or ${b}`,
  disagreeName: ({ label, a, b }) => `A ${label}: the one says ${a}, the other ${b}`,

  saidStart: (name) => `${name} has begun to learn.`,
  saidEpoch: (epoch, accuracy) =>
    `Epoch ${epoch} is over${accuracy === null ? "" : `: ${share(accuracy)} of the validation digits are read rightly`}.`,
  saidEnd: (said, accuracy) =>
    `${said}${accuracy === null ? "" : ` It reads ${share(accuracy)} of the validation digits rightly.`}`,
});

/** @param {string} text with minus signs instead of hyphens */
const signed = (text) => text.replace(/^-(?=[0.]*$)/, "").replace(/-/g, "\u2212");

/**
 * A number short enough for a cell: three digits that count, but no more than two decimals.
 *
 * @param {number} value
 */
const short = (value) => {
  const size = Math.abs(value);
  return size ? signed(value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2)) : "0";
};

const four = new Intl.NumberFormat("en", { maximumSignificantDigits: 4, useGrouping: false });

/**
 * A number with four digits that count.
 *
 * @param {number} value
 */
const number = (value) =>
  signed(Math.abs(value) >= 1e6 ? value.toExponential(3) : four.format(value || 0));

/** @param {number} value as it stands after a sign */
const inBrackets = (value) => (value < 0 ? `(${number(value)})` : number(value));

/** @param {number} height @param {number} width */
const area = (height, width = height) => `${height}\u00a0×\u00a0${width}`;

/** @type {Record<string, (options: Record<string, number>) => string>} what each kind of layer does */
const kinds = {
  AveragePool2d: ({ size }) => `The mean of each square of ${area(size)}`,
  BatchNorm: () => "Each unit brought to the same spread",
  Conv2d: ({ outputs, kernel }) =>
    `${outputs} patterns of ${area(kernel)}, looked for at every place`,
  Dense: ({ outputs }) => `${outputs} sums, each over all that comes in`,
  Downsample: ({ factor }) => `Squares of ${area(factor)} added up`,
  Dropout: () => "Silences values in training; here it does nothing",
  Flatten: () => "All numbers in one column",
  GlobalAveragePool: () => "The mean of each picture",
  LeakyReLU: () => "What is below zero made small",
  MaxPool2d: ({ size }) => `The largest of each square of ${area(size)}`,
  MeanOfCopies: () => "The mean over all looks",
  ReLU: () => "What is below zero set to zero",
  Rescale: () => "The pixels brought to a handy range",
  ShiftedCopies: ({ copies }) => `${copies} looks, each moved by a pixel`,
  Sigmoid: () => "Every number bent to between 0 and 1",
  Tanh: () => "Every number bent to between \u22121 and 1",
};

export const look = textsOf("look", {
  number,
  short,
  kinds,
  lead: "Follow one digit through the network, layer by layer, down to each multiplication. Everything is counted from 0, as in the code.",
  waiting: "Working it out …",
  jump: "Parts of this view",
  jumps: ["Layers", "Imagined digits", "Mistakes"],
  jumpHelp: "Go to this part of the view.",

  digit: "The digit",
  drawing: ["Your drawing", "Look at what you drew last in the Draw view."],
  imaginedDigit: (digit) => `The ${digit} that the network imagines`,
  numberLabel: [
    "Validation digit no.",
    "Which of MNIST’s validation digits to look at, from 0 to 9,999; none was learned from.",
  ],
  previous: ["Previous", "Look at the validation digit before this one."],
  next: ["Next", "Look at the validation digit after this one."],
  random: ["Any", "Look at any of the validation digits."],
  chooseHelp: "Choose one to follow it through the layers.",

  layers: "Layer by layer",
  shape: (...shape) => {
    const [height, width] = shape.slice(-2);
    if (shape.length === 1) return `${count(height)} numbers`;
    const pictures = shape.length === 2 ? "A picture" : `${count(shape[0])} pictures`;
    return `${pictures} of ${area(height, width)}`;
  },
  to: " to ",
  unitsOf: (layer) => `Units of layer ${layer}`,
  unitsHelp: "Blue is above zero, orange below: choose a unit to see how its numbers come about.",
  output: (unit) => (unit < 10 ? `${unit}` : "none"),

  noUnit: "One unit",
  unitOf: (layer, unit) => `Layer ${layer}, unit ${unit}`,
  opened: (layer, unit) => `Layer ${layer}, unit ${unit} is open.`,
  back: ["Back to the layers", "Go back to the layer in which you opened this unit."],
  picture: (layer, unit) => `What unit ${unit} of layer ${layer} makes of the digit`,
  placeHelp:
    "Click a place, or move the frame with the arrow keys, to see how the number there comes about.",
  at: (row, column, value) => `Row ${row}, column ${column}: ${number(value)}`,
  value: (value) => `Its number is ${number(value)}.`,
  depends: "The part of the digit that this number depends on",
  dependsOnAll: "It depends on the whole digit.",

  how: "How this number comes about",
  place: "Input",
  triple: ["What comes in", "Weight", "Product"],
  product: (x, w, product) => `${number(x)} × ${inBrackets(w)} = ${number(product)}`,
  channel: (channel, sum) => `From picture ${channel}: ${number(sum)}`,
  cellsHelp:
    "What comes in, times the weight: point at a cell, or go through the products with the arrow keys.",
  otherChannels: (channels) => `From ${channels} other pictures, which count less`,
  aimHelp: "Point at a pixel, or move the frame with the arrow keys, to read its product.",
  input: (row, column) => signed(`Row ${row}, column ${column}`),
  inputOf: (picture, row, column) => signed(`Picture ${picture}, row ${row}, column ${column}`),
  feature: (n) => `Unit ${n}`,
  top: (n) => `The ${n} products that count most`,
  others: (n) => `The other ${count(n)}`,
  result: (value) => `y = ${number(value)}`,
  gives: (value) => `The layer itself gives ${number(value)}.`,
  chosen: ", the largest",
  numbers: (n) => `All ${count(n)} numbers`,
  numbersHelp: "Unfolds a table of every number that goes into this one.",

  exciting: "What excites it most",
  imagined: "What each digit is to the network",
  imaginedLead:
    "The network run backwards, from the answer to the picture: what it would like best to see for each digit.",

  confusion: "What it takes for what",
  confusionHelp: "Choose a number to see its pictures; arrow keys go from one to the next.",
  axes: "The confusion matrix. Rows: what it is. Columns: what is read. Mistakes are shaded, the more the stronger.",
  accuracy: (correct, total, accuracy) =>
    `Of ${count(total)} validation digits it reads ${count(correct)} right: ${share(accuracy, 2)}.`,
  readAs: (digit) => `read as ${digit}`,
  truly: (digit) => `is a ${digit}`,
  cellNamed: (label, answer, n) =>
    `${count(n)} of digit ${label} read ${label === answer ? "right" : `as ${answer}`}`,
  cellNote: "How sure the network is of each, the surest first.",

  digitNamed: (index, label) =>
    `Digit no. ${index} of MNIST’s validation digits${label === null ? "" : `, a ${label}`}`,
  read: (name, label, probabilities, none) => {
    const best = Math.max(...probabilities);
    const digit = probabilities.indexOf(best);
    if (none !== null && none > 0.5) {
      return `${name}. The network is ${share(none)} sure that it is no digit.`;
    }
    const verdict = label === null ? "" : digit === label ? ", which is right" : ", which is wrong";
    return `${name}. The network reads ${digit}, ${share(best * (1 - (none ?? 0)))}${verdict}.`;
  },
  layer: (position, name) => `${position}. ${name}`,
  unitNamed: (layer, unit, value, picture) =>
    `Layer ${layer}, unit ${unit}: ${picture ? "at most " : ""}${value}`,
  total: (products, bias, sum) => {
    // As many decimals as let the sum be checked.
    const places = Math.max(...[products, bias ?? 0, sum].map(Math.abs)) >= 100 ? 2 : 3;
    const fixed = (/** @type {number} */ value) => signed(value.toFixed(places));
    if (bias === null) return `Sum of the products = ${fixed(sum)}`;
    const added = bias < 0 ? `(${fixed(bias)})` : fixed(bias);
    return `Sum of the products ${fixed(products)} + bias ${added} = ${fixed(sum)}`;
  },
  worked: (formula, numbers, result) => {
    let text = formula;
    for (const [name, value] of Object.entries(numbers)) {
      const word = new RegExp(`(?<!\\p{L})${name}(?!\\p{L})`, "gu");
      text = text.replace(word, inBrackets(value));
    }
    return `${text === formula ? "y" : text} = ${number(result)}`;
  },
  excitingNote: (places) =>
    `The validation digits in which it takes its highest values${places ? ", and where" : ""}.`,
  cellOpen: (title) => `${title}: the pictures are below.`,
});

export const visit = textsOf("visit", {
  again: ["First steps", "Starts the six steps of a first visit again."],
  place: (n, total) => `${n} of ${total}`,
  steps: [
    ["draw", "Draw a digit, and see it read."],
    ["draw", "Clear the board and draw something that is no digit."],
    ["train", "Now train a network of your own: press Start."],
    ["train", "Watch it learn until it reads 97\u00a0% of the validation digits."],
    ["draw", "Choose your network as the model, above, and draw a digit for it."],
    ["look", "See how it does that: open a unit, down to its sum."],
  ],
  below: (accuracy) => `It ended at ${share(accuracy)}: give it one more epoch, or start another.`,
  open: (view) => `Open ${view}`,
  openHelp: "Goes to the view of this step.",
  skip: ["Skip", "Goes on to the next step."],
  leave: ["Put away", "The first steps can be begun again at the foot of the page."],
  done: "You have trained a network, used it and looked inside. The rest is yours to find.",
});

export const words = { count, share, time, lab, draw, train, look, visit };
