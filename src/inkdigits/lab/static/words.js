/* Every word that people read or hear in the lab, but for what the reader and the server say in
   their own (explanations, recipes' purposes, errors). One object a language; this is English. */

/** @param {number} value */
const count = (value) => value.toLocaleString("en");

/**
 * @param {number} value 0 to 1
 * @param {number} [places]
 */
const share = (value, places = 1) => `${(100 * value).toFixed(places)}\u00a0%`;

/** @param {number} seconds */
function time(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)}\u00a0s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}\u00a0min`;
  return `${(seconds / 3600).toFixed(1)}\u00a0h`;
}

const lab = {
  name: "inkdigits",
  title: (/** @type {string} */ view) => `${view} – inkdigits lab`,
  skip: "Skip to the view",
  views: "Views",
  draw: "Draw",
  drawHelp: "Draw a digit, or show a picture of one, and have it read.",
  train: "Train",
  trainHelp: "Watch a network learn from 50,000 digits, here and now.",
  look: "Look",
  lookHelp: "Follow a digit through the network, down to each multiplication.",
  model: "Model",
  modelHelp: "Which network answers in Draw and Look: the one that comes along, or one of yours.",
  glyph: "A digit of 28 by 28 pixels",
  gone: "The lab does not answer. Start it again with inkdigits lab; nothing is lost, and this page goes on by itself.",
  refused: (/** @type {number} */ status) => `The lab refused this (HTTP ${status}): reload the page.`,
};

const draw = {
  barNone: "none",
  bars: "How probable each digit is",
  barDigit: "Digit",
  barProbability: "Probability",

  board: "Drawing board",
  boardHelp: "Draw a digit with pen, finger or mouse; it is read while you draw.",
  hint: "Draw here",
  brush: "Brush",
  brushHelp: "How wide the next stroke will be.",
  undo: "Undo",
  undoHelp: "Takes back the last stroke, or the last clearing.",
  clear: "Clear",
  clearHelp: "Takes the drawing away; Undo brings it back.",
  keys: "Drawing with the keyboard",
  keysHelp:
    "Arrow keys move the pen, with Shift in larger steps. Space lowers and lifts it. " +
    "Backspace takes back the last stroke. Escape clears the board.",
  penDown: "Pen down.",
  penUp: "Pen up.",

  sources: "Or show a picture of a digit",
  choose: "Choose a picture",
  chooseHelp: "A photo or a scan of one digit from your files; you can also drop or paste one here.",
  camera: "Camera",
  cameraHelp: "Take a picture of a digit on paper; it goes to the lab on this computer alone.",
  back: "Back to drawing",
  backHelp: "Puts the picture away; your drawing is still there.",
  tooLarge: (/** @type {number} */ bytes, /** @type {number} */ most) =>
    `A picture may have up to ${most / 2 ** 20}\u00a0MB, this one has ` +
    `${Math.ceil(bytes / 2 ** 20)}\u00a0MB: make it smaller.`,
  notRead: "This file cannot be read any more: choose it again.",
  noPicture: "That was no picture file: drop or paste a PNG or JPEG.",
  sending: "Reading the picture\u00a0…",
  stagePicture: "The picture",
  stageBox: "The picture, with a frame where the digit was found",
  stageInk: "Its ink",
  stageInkNamed: "The ink that was found in the picture",
  stageGlyph: "What the network gets",

  cameraTitle: "Take a picture",
  cameraLead: "Hold one digit before the camera, large and in good light.",
  cameraVideo: "What the camera sees",
  cameraWhich: "Which camera",
  cameraWhichHelp: "Which of this computer's cameras looks at the digit.",
  cameraNth: (/** @type {number} */ n) => `Camera ${n}`,
  take: "Take picture",
  takeHelp: "Reads what the camera sees now.",
  close: "Close",
  closeHelp: "Switches the camera off, without a picture.",
  cameraNone: "No camera was found: connect one, or choose a picture instead.",
  cameraRefused:
    "The browser may not use the camera: allow it for this address, or choose a picture instead.",
  cameraBusy: "The camera does not answer: another program may be using it.",

  reading: "What it reads",
  nothingYet: "Draw a digit",
  nothingKnown: "It has not seen anything yet.",
  noInk: "No ink",
  noInkKnown: "Nothing stands out from the paper.",
  notADigit: "Not a digit",
  sure: "Sure",
  fairlySure: "Fairly sure",
  notSure: "Not sure",
  noneKnown: (/** @type {number} */ none) => `It is ${share(none)} sure of that.`,
  sureness: (
    /** @type {string} */ how,
    /** @type {number} */ confidence,
    /** @type {number} */ digit,
  ) => `${how}: ${share(confidence)} for ${digit}.`,
  spoken: (/** @type {number} */ digit, /** @type {string} */ sureness) =>
    `It reads ${digit}. ${sureness}`,
  glyph: "What the network sees",
  glyphCaption: "28\u00a0×\u00a028 pixels",

  nearest: "Training digits most like it",
  nearestNamed: (/** @type {number} */ label) => `A ${label} of the training digits`,
  nearestAmong: (/** @type {number} */ among) =>
    `The nearest of ${count(among)}, as this network sees them.`,
  nearestWait: "Looking for them\u00a0…",

  wrong: "Is it wrong?",
  wrongLead: "Say what it is, and see why it was read so.",
  what: "What is it?",
  whatHelp: (/** @type {number} */ digit) => `It is a ${digit}: explain the answer, and offer to keep it.`,
  explain: "Just explain",
  explainHelp: "Why it was read so, without saying what it is.",
  explaining: "Trying what would alter the answer\u00a0…",
  explained: "Why",
  trials: "What alters the answer",
  noTrials: "What was tried",
  allTrials: (/** @type {number} */ total) => `All ${total} changes that were tried`,
  noneAlters: (/** @type {number} */ total) => `None of ${total} changes alters the answer.`,
  trial: (
    /** @type {string} */ name,
    /** @type {number | null} */ digit,
    /** @type {number} */ confidence,
  ) => (digit === null ? `${name}: nothing` : `${name}: ${digit}, ${share(confidence, 0)}`),
  /* The reader's advice names the command that teaches; here there is a button. */
  advice: (/** @type {string} */ said, /** @type {number | null} */ expected) =>
    said.replace(
      /: inkdigits teach .*/,
      expected === null ? ": say what it is, and keep it." : ": keep it, with the button below.",
    ),
  keep: (/** @type {number} */ digit) => `Keep this as a ${digit}`,
  keepHelp: "Keeps the digit with its label, for the network to learn from.",
  keptNow: (/** @type {number} */ digit, /** @type {number} */ total) =>
    `It is kept as a ${digit}; ${count(total)} kept in all.`,

  kept: "Your corrections",
  keptNone: "None yet. When a digit is read wrong, say what it is and keep it.",
  keptCount: (/** @type {number[]} */ counts) => {
    const total = counts.reduce((sum, each) => sum + each, 0);
    const each = counts.flatMap((n, digit) => (n ? [`${count(n)} × ${digit}`] : []));
    return `${count(total)} kept: ${each.join(", ")}.`;
  },
  keptNamed: (/** @type {number} */ label) => `A ${label} of yours`,
  drop: "×",
  dropNamed: (/** @type {number} */ label) => `Remove this ${label}`,
  dropHelp: "Removes this digit from your corrections; it can be brought back at once.",
  dropped: (/** @type {number} */ label) => `A ${label} was removed.`,
  bring: "Bring it back",
  bringHelp: "Keeps the digit again that was removed last.",
  showAll: (/** @type {number} */ total) => `Show all ${count(total)}`,
  showAllHelp: "Shows the older ones too.",

  learn: "Learn from my corrections",
  learnHelp: "Goes on training the chosen model with your digits among those that it knows.",
  learnFew: "With five or more, a fifth is held out to tell what was gained.",
  lessonName: (/** @type {string} */ model, /** @type {number} */ total) =>
    `${model} with ${count(total)} of mine`,
  learning: "Learning",
  learningLeft: (/** @type {number} */ seconds) => `${time(seconds)} left`,
  measuring: "Seeing how well it reads\u00a0…",
  stopLearning: "Stop",
  stopLearningHelp: "Ends the lesson here.",
  learned: (/** @type {string} */ name) =>
    `Learned. “${name}” answers now; the model is chosen above.`,
  learnEnded: "The lesson ended early.",
  lesson: "Before and after",
  lessonSet: "Digits",
  lessonBefore: "Before",
  lessonAfter: "After",
  lessonMnist: (/** @type {number} */ total) => `${count(total)} of MNIST`,
  lessonOwn: (/** @type {number} */ total) => `${count(total)} of yours, held out`,
  lessonNone: "none held out",
  interval: (/** @type {[number, number]} */ [low, high]) =>
    `${(100 * low).toFixed(1)} to ${share(high)}`,
  lessonNote: "Right answers, with the range that holds the true share in 95\u00a0% of cases.",
};

/** @param {number} value */
const plainNumber = (value) => String(Number(value.toPrecision(2)));

/** @param {number} epoch */
const hundredths = (epoch) => String(Math.round(100 * epoch) / 100);

/** @param {number} seconds */
const about = (seconds) => (seconds < 1 ? time(seconds) : `about ${time(seconds)}`);

/** @type {Record<string, string>} */
const augmentations = {
  none: "none",
  shift: "shifted",
  hand: "another hand",
  strong: "strongly bent",
  own: "the recipe’s own",
};

const train = {
  number: plainNumber,
  form: "A new network",
  recipe: "Recipe",
  recipeHelp: "What is trained: a recipe that has proved itself, or layers of your own.",
  own: "My own network",
  ownPurpose: "Layers of your choice; the last, of ten outputs, comes by itself.",
  recipeSeconds: (/** @type {number} */ seconds) => `${about(seconds)} when it was measured`,
  start: "Start",
  startHelp: "Begins to train this network; the page may be closed meanwhile.",
  startBusy: (/** @type {string} */ name) =>
    `One network learns at a time: stop “${name}” first, or wait for its end.`,
  estimate: (/** @type {number} */ parameters, /** @type {number | null} */ seconds) =>
    `${count(parameters)} parameters${seconds === null ? "" : `, ${about(seconds)}`}`,
  filled: "Changed in the settings above or beside: press Start to try it.",

  layers: "Layers",
  layer: (/** @type {number} */ n) => `Layer ${n}`,
  kind: "Kind",
  kindHelp: "A convolution looks for small patterns everywhere; a dense layer weighs all at once.",
  kinds: /** @type {Record<string, string>} */ ({ convolution: "Convolution", dense: "Dense" }),
  units: "Units",
  unitsHelp: "How many patterns this layer can tell apart: more learn more, and take longer.",
  kernel: "Kernel",
  kernelHelp: "The side of the patch that a convolution looks at, in pixels.",
  pool: "Pooling",
  poolHelp: "Keeps the largest of each two by two: half the width and height, a quarter of the work.",
  add: "Add a layer",
  addHelp: "Adds a dense layer at the end, before the ten outputs.",
  up: "Earlier",
  upHelp: "Moves this layer towards the pixels.",
  down: "Later",
  downHelp: "Moves this layer towards the answer.",
  takeAway: "Remove",
  takeAwayHelp: "Takes this layer away.",
  layersTable: "Layers and shapes",
  layerShort: (/** @type {string} */ layer) => {
    const kernel = /kernel=(\d+)/.exec(layer)?.[1];
    return layer.split("(")[0] + (kernel ? ` ${kernel}\u00a0×\u00a0${kernel}` : "");
  },
  shapeOf: (/** @type {number[]} */ shape) => shape.join("\u00a0×\u00a0"),
  shape: "Shape",
  parameters: "Parameters",

  activation: "Activation",
  activationHelp: "The bend after each layer, without which all layers would be worth one.",
  loss: "Loss",
  lossHelp: "What is made small: how surprised the network is, or the square of its error.",
  optimizer: "Optimizer",
  optimizerHelp: "How a gradient becomes a step: straight down, with momentum, or by Adam.",
  epochs: "Epochs",
  epochsHelp: "How often all images are gone through.",
  rate: "Rate",
  rateHelp: "How far each step goes: too low learns slowly, too high not at all.",
  batch: "Batch",
  batchHelp: "How many images a step is taken from: small ones are rough and many.",
  augmentation: "Augmentation",
  augmentationHelp: "Shows each digit a little differently every time, as other hands would write it.",
  schedule: "Schedule",
  scheduleHelp: "Whether the rate stays, or rises and falls once over the run.",
  itsOwn: "the recipe’s own",
  usual: "as is usual",
  more: "More",
  images: "Images",
  imagesHelp: "How many of the 50,000 training images it learns from, 100 at least.",
  wrongLabels: "Wrong labels, %",
  wrongLabelsHelp: "Gives that share of the images a wrong label, to see what a network makes of it.",
  seed: "Seed",
  seedHelp: "The number that all chance comes from: the same seed gives the same network.",
  name: "Name",
  nameHelp: "What the run is called; you can change it later.",
  options: /** @type {Record<string, string>} */ ({
    relu: "ReLU",
    "leaky-relu": "leaky ReLU",
    tanh: "tanh",
    sigmoid: "sigmoid",
    "cross-entropy": "cross-entropy",
    "squared-error": "squared error",
    sgd: "gradient descent",
    momentum: "with momentum",
    nesterov: "Nesterov",
    adam: "Adam",
    "one-cycle": "one cycle",
    constant: "constant",
    ...augmentations,
  }),

  run: "The run",
  noRun: "Press Start, and watch a network learn to read: its curves, its weights and its mistakes appear here while it does.",
  runName: "Name of this run",
  runNameHelp: "What this run and its model are called; change it as you like.",
  /** Epochs that are done, as 1.25 of 5, come as a number with a fraction. */
  state: (
    /** @type {string} */ state,
    /** @type {number} */ done,
    /** @type {number} */ epochs,
    /** @type {number | null} */ left,
  ) => {
    if (state === "running") {
      const which = `epoch ${Math.min(epochs, Math.floor(done) + 1)} of ${epochs}`;
      return `Learning, ${which}${left === null ? "" : `, ${time(left)} left`}.`;
    }
    const after = `after ${hundredths(done)} of ${epochs} epochs`;
    /** @type {Record<string, string>} */
    const others = {
      starting: "Starting.",
      paused: `Paused ${after}.`,
      done: `Done, after ${epochs} ${epochs === 1 ? "epoch" : "epochs"}.`,
      stopped: `Stopped ${after}, and kept.`,
      diverged: `Stopped ${after}: its numbers grew without bound.`,
      interrupted: `Interrupted ${after}: it can go on where it was.`,
      failed: "Failed.",
    };
    return others[state] ?? state;
  },
  states: /** @type {Record<string, string>} */ ({
    starting: "starting",
    running: "learning",
    paused: "paused",
    done: "done",
    stopped: "stopped",
    diverged: "diverged",
    interrupted: "interrupted",
    failed: "failed",
  }),
  progress: "Progress of the run",
  pause: "Pause",
  pauseHelp: "Holds the training where it is, for as long as you like.",
  go: "Go on",
  goHelp: "Goes on with the training where it was.",
  oneMore: "One more epoch",
  oneMoreHelp: "Lets the run go through all its images once more than planned.",
  stop: "Stop and keep",
  stopHelp: "Ends the training now and keeps the network as it is.",
  use: "Use it in Draw",
  useHelp: "Lets this network read what you draw.",
  pace: "Speed",
  paceHelp: "Slow motion: so few steps a second that each can be watched.",
  paces: (/** @type {number} */ steps) =>
    steps ? `${steps} ${steps === 1 ? "step" : "steps"} a second` : "full speed",
  epoch: "Epochs done",
  epochOf: (/** @type {number} */ done, /** @type {number} */ epochs) =>
    `${hundredths(done)} of ${epochs}`,
  trainingLoss: "Training loss",
  trainingAccuracy: "Training accuracy",
  validationAccuracy: "Validation accuracy",
  perSecond: "Images a second",
  none: "–",

  accuracyChart: "Accuracy",
  lossChart: "Loss",
  axis: "epochs",
  training: "training",
  validation: "validation",
  close: "Close-up",
  closeHelp: "Stretches the charts to the later part of the curves, where they are hard to tell apart.",
  chartNote: "Validation digits are never learned from. Lines: samples of 1,000; dots: all 10,000, after each epoch.",
  lossValue: (/** @type {number} */ value) =>
    value >= 1000 ? value.toExponential(1) : value.toPrecision(3),
  tick: (/** @type {number} */ value) => String(Number(value.toPrecision(6))),
  tableSummary: "The curves as a table",
  table: "Figures by epoch",
  validationLoss: "Validation loss",
  epochNumber: hundredths,

  knobs: "While it learns",
  applied: (
    /** @type {{ epoch: number, rate?: number, batch?: number, augmentation?: string | null, epochs?: number }} */ change,
  ) => {
    const parts = [];
    if (change.rate !== undefined) parts.push(`rate ${plainNumber(change.rate)}`);
    if (change.batch !== undefined) parts.push(`batch ${change.batch}`);
    if (change.augmentation !== undefined) {
      const name = change.augmentation ?? "none";
      parts.push(`augmentation ${augmentations[name] ?? name}`);
    }
    if (change.epochs !== undefined) parts.push(`${change.epochs} epochs in all`);
    return `After ${hundredths(change.epoch)} epochs: ${parts.join(", ")}`;
  },
  changes: "Changed on the way",
  notSteerable: "This recipe is the post’s own training, to the letter: it has no knobs.",

  weights: "First-layer weights",
  weightsNote: (/** @type {number} */ shown, /** @type {number} */ count) =>
    `${shown < count ? `The first ${shown} of ${count} units. ` : ""}Blue is above zero, orange below.`,
  weightsName: (/** @type {number} */ count) => `The weights of ${count} units of the first layer`,
  gradients: "Gradients and dead units",
  layerName: "Layer",
  gradient: "Gradient",
  size: "Weights",
  dead: "Dead units",
  gradientsNote: "How strongly each layer is being pulled, how large its weights are, and the share of units that no digit wakes.",
  wrong: "Most wrong just now",
  wrongNote: "Validation digits: what each is, and what the network takes it for.",
  wrongCaption: (/** @type {number} */ label, /** @type {number} */ answer) => `${label} → ${answer}`,
  wrongName: (
    /** @type {number} */ label,
    /** @type {number} */ answer,
    /** @type {number} */ confidence,
  ) => `A ${label}, taken for a ${answer}, ${share(confidence, 0)} sure`,

  hints: "What could be better",
  /** @type {Record<string, (values: Record<string, any>) => string>} */
  hint: {
    rate_too_high: ({ rate }) =>
      `The loss rises instead of falling: the rate of ${plainNumber(rate)} is too high, so each step overshoots.`,
    rate_too_low: ({ rate }) =>
      `The loss hardly falls: the rate of ${plainNumber(rate)} is too low, so the steps are tiny.`,
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
  },
  fix: (/** @type {Record<string, any>} */ values) =>
    Object.entries(values)
      .map(([name, value]) => {
        if (name === "rate") return `Set the rate to ${plainNumber(value)}`;
        if (name === "batch") return `Set the batch to ${value}`;
        if (name === "augmentation") {
          return `Set the augmentation to “${augmentations[value ?? "none"] ?? value}”`;
        }
        if (name === "images") return `Take ${count(value)} images`;
        if (name === "network") return `Take ${value.activation === "relu" ? "ReLU" : "leaky ReLU"}`;
        return `Set ${name} to ${value}`;
      })
      .join(", "),
  fixNowHelp: "Changes it in the running training.",
  fixNextHelp: "Changes it in the settings, for another run.",

  before: "Before",
  after: "After",
  lessonTable: "What the corrections taught",
  lessonMnist: "Validation digits",
  lessonOwn: "Your corrections",

  kept: "Runs",
  noRuns: "Runs are kept here, to compare and to use.",
  select: "Shows this run.",
  facts: (
    /** @type {string} */ state,
    /** @type {number | null} */ accuracy,
    /** @type {number | null} */ parameters,
    /** @type {number | null} */ seconds,
  ) => [
    state,
    accuracy === null ? "–" : share(accuracy, 2),
    parameters === null ? "–" : `${count(parameters)} parameters`,
    seconds === null ? "–" : seconds < 1 ? "< 1\u00a0s" : time(seconds),
  ],
  overlay: "Overlay",
  overlayOf: (/** @type {string} */ name) => `Overlay ${name}`,
  overlayHelp: "Draws this run’s validation curves beside those of the run that is shown.",
  remove: "Remove",
  removeOf: (/** @type {string} */ name) => `Remove ${name}`,
  removeHelp: "Deletes this run and its model, after asking.",
  useOf: (/** @type {string} */ name) => `Use ${name} in Draw`,
  goOf: (/** @type {string} */ name) => `Go on with ${name}`,
  removeAsk: (/** @type {string} */ name) => `Remove “${name}”, its curves and its model?`,
  keep: "Keep it",
  keepHelp: "Leaves everything as it is.",

  duel: "Duel",
  duelNote: "Two networks read the same 10,000 validation digits, which neither has learned from.",
  duelA: "One",
  duelB: "The other",
  duelHelp: "A run that has a model.",
  compare: "Compare",
  compareHelp: "Lets both read all validation digits, and shows where they disagree.",
  duelSame: "Choose two different runs.",
  duelModel: "Model",
  duelRight: "Read rightly",
  duelBetween: "95 % interval",
  duelOnly: "Right alone",
  duelInterval: (/** @type {[number, number]} */ [low, high]) =>
    `${share(low, 2)} to ${share(high, 2)}`,
  duelSaid: (
    /** @type {string} */ better,
    /** @type {number} */ difference,
    /** @type {number} */ p,
  ) => {
    if (!difference) return "Both read equally many of the digits.";
    const chance =
      p < 0.001
        ? "in fewer than 1 of 1,000 cases"
        : p < 0.01
          ? `in ${Math.max(1, Math.round(1000 * p))} of 1,000 cases`
          : `in ${Math.round(100 * p)} of 100 cases`;
    const points = (100 * Math.abs(difference)).toFixed(2);
    const verdict = p < 0.05 ? "" : " So this may well be chance.";
    return `“${better}” is better by ${points} points of a hundred. By chance alone such a difference would come up ${chance}.${verdict}`;
  },
  disagree: "Where they disagree",
  agree: "They agree on every digit.",
  duelOption: (/** @type {string} */ name, /** @type {number | null} */ accuracy) =>
    accuracy === null ? name : `${name}, ${share(accuracy, 2)}`,
  disagreeCaption: (
    /** @type {number} */ label,
    /** @type {number} */ a,
    /** @type {number} */ b,
  ) => `${label}: ${a} or ${b}`,
  disagreeName: (
    /** @type {number} */ label,
    /** @type {number} */ a,
    /** @type {number} */ b,
  ) => `A ${label}: the one says ${a}, the other ${b}`,
  disagreeNote: "What each digit is, and what the one and the other say.",
  showMore: "Show more",
  showMoreHelp: "Shows the next of the digits on which they disagree.",

  saidStart: (/** @type {string} */ name) => `${name} has begun to learn.`,
  saidEpoch: (/** @type {number} */ epoch, /** @type {number | null} */ accuracy) =>
    `Epoch ${epoch} is over${accuracy === null ? "" : `: ${share(accuracy)} of the validation digits are read rightly`}.`,
  saidEnd: (/** @type {string} */ said, /** @type {number | null} */ accuracy) =>
    `${said}${accuracy === null ? "" : ` It reads ${share(accuracy)} of the validation digits rightly.`}`,
};

/**
 * A number short enough for a cell: three digits that count, but no more than two decimals.
 *
 * @param {number} value
 */
const short = (value) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
  return text.replace("-", "\u2212");
};

/**
 * A number with four digits that count.
 *
 * @param {number} value
 */
const number = (value) =>
  value === 0 ? "0" : (Math.abs(value) >= 1e6 ? value.toExponential(3) : value.toLocaleString("en", {
    maximumSignificantDigits: 4, useGrouping: false,
  })).replace("-", "\u2212");

/** @param {number} value as it stands after a sign */
const inBrackets = (value) => (value < 0 ? `(${number(value)})` : number(value));

/**
 * Numbers of one sum, with as many decimals as let it be checked.
 *
 * @param {number[]} values
 */
const alike = (values) => {
  const places = Math.max(...values.map(Math.abs)) >= 100 ? 2 : 3;
  return values.map((value) => value.toFixed(places).replace("-", "\u2212"));
};

/** @param {number} height @param {number} width */
const area = (height, width = height) => `${height}\u00a0×\u00a0${width}`;

/** @typedef {Record<string, number>} Options */

const look = {
  number,
  short,
  lead: "Follow one digit through the network, layer by layer, down to each multiplication. Everything is counted from 0, as in the code.",
  waiting: "Working it out …",

  digit: "The digit",
  drawing: "Your drawing",
  drawingHelp: "Look at what you drew last in the Draw view.",
  imaginedDigit: (/** @type {number} */ digit) => `The ${digit} that the network imagines`,
  digitNamed: (/** @type {number} */ index, /** @type {number | null} */ label) =>
    `Digit no. ${index} of MNIST’s validation digits${label === null ? "" : `, a ${label}`}`,
  numberLabel: "Validation digit no.",
  numberHelp: "Which of MNIST’s 10,000 validation digits to look at, from 0 to 9,999; none was learned from.",
  previous: "Previous",
  previousHelp: "Look at the validation digit before this one.",
  next: "Next",
  nextHelp: "Look at the validation digit after this one.",
  random: "Any",
  randomHelp: "Look at any of the validation digits.",
  read: (
    /** @type {string} */ name,
    /** @type {number | null} */ label,
    /** @type {number[]} */ probabilities,
    /** @type {number | null} */ none,
  ) => {
    const best = Math.max(...probabilities);
    const digit = probabilities.indexOf(best);
    if (none !== null && none > 0.5) {
      return `${name}. The network is ${share(none)} sure that it is no digit.`;
    }
    const verdict = label === null ? "" : digit === label ? ", which is right" : ", which is wrong";
    return `${name}. The network reads ${digit}, ${share(best * (1 - (none ?? 0)))}${verdict}.`;
  },

  jump: "Parts of this view",
  jumpHelp: "Go to this part of the view.",

  layers: "Layer by layer",
  layer: (/** @type {number} */ position, /** @type {string} */ name) => `${position}. ${name}`,
  shape: (/** @type {number[]} */ shape) =>
    shape.length === 1
      ? `${count(shape[0])} numbers`
      : shape.length === 2
        ? `A picture of ${area(shape[0], shape[1])}`
        : `${count(shape[0])} pictures of ${area(shape[1], shape[2])}`,
  scale: (/** @type {string} */ low, /** @type {string} */ high) =>
    `The values of this layer, from ${low} to ${high}`,
  unitsOf: (/** @type {number} */ position) => `Units of layer ${position}`,
  unitsHelp: "Blue is above zero, orange below: choose a unit to see how its numbers come about; arrow keys go from one to the next.",
  unitNamed: (
    /** @type {number} */ layer,
    /** @type {number} */ unit,
    /** @type {string} */ value,
    /** @type {boolean} */ map,
  ) => `Layer ${layer}, unit ${unit}: ${map ? "at most " : ""}${value}`,
  output: (/** @type {number} */ unit) => (unit < 10 ? String(unit) : "none"),
  all: (/** @type {number} */ units) => `Show all ${count(units)}`,
  fewer: (/** @type {number} */ units) => `Show the first ${units}`,
  allHelp: "Shows all units of this layer, or only the first.",
  kinds: {
    AveragePool2d: (/** @type {Options} */ { size }) => `The mean of each square of ${area(size)}`,
    BatchNorm: () => "Each unit brought to the same spread",
    Conv2d: (/** @type {Options} */ { outputs, kernel }) =>
      `${outputs} patterns of ${area(kernel)}, looked for at every place`,
    Dense: (/** @type {Options} */ { outputs }) => `${outputs} sums, each over all that comes in`,
    Downsample: (/** @type {Options} */ { factor }) => `Squares of ${area(factor)} added up`,
    Dropout: () => "Silences values in training; here it does nothing",
    Flatten: () => "All numbers in one column",
    GlobalAveragePool: () => "The mean of each picture",
    LeakyReLU: () => "What is below zero made small",
    MaxPool2d: (/** @type {Options} */ { size }) => `The largest of each square of ${area(size)}`,
    MeanOfCopies: () => "The mean over all looks",
    ReLU: () => "What is below zero set to zero",
    Rescale: () => "The pixels brought to a handy range",
    ShiftedCopies: (/** @type {Options} */ { copies }) => `${copies} looks, each moved by a pixel`,
    Sigmoid: () => "Every number bent to between 0 and 1",
    Tanh: () => "Every number bent to between \u22121 and 1",
  },

  noUnit: "One unit",
  unitOf: (/** @type {number} */ layer, /** @type {number} */ unit) => `Layer ${layer}, unit ${unit}`,
  opened: (/** @type {number} */ layer, /** @type {number} */ unit) =>
    `Layer ${layer}, unit ${unit} is open.`,
  back: "Back to the layers",
  backHelp: "Go back to the layer in which you opened this unit.",
  picture: (/** @type {number} */ layer, /** @type {number} */ unit) =>
    `What unit ${unit} of layer ${layer} makes of the digit`,
  placeHelp: "Click a place, or move the frame with the arrow keys, to see how the number there comes about.",
  at: (/** @type {number} */ row, /** @type {number} */ column, /** @type {number} */ value) =>
    `Row ${row}, column ${column}: ${number(value)}`,
  value: (/** @type {number} */ value) => `Its number is ${number(value)}.`,
  depends: "The part of the digit that this number depends on",
  dependsOnAll: "It depends on the whole digit.",
  how: "How this number comes about",
  triple: ["What comes in", "Weight", "Product"],
  product: (/** @type {number} */ x, /** @type {number} */ w, /** @type {number} */ product) =>
    `${number(x)} × ${inBrackets(w)} = ${number(product)}`,
  channel: (/** @type {number} */ channel, /** @type {number} */ sum) =>
    `From picture ${channel}: ${number(sum)}`,
  cellsHelp: "What comes in, times the weight: point at a cell, or go through the products with the arrow keys.",
  allChannels: (/** @type {number} */ channels) => `Show all ${channels} pictures that come in`,
  fewerChannels: (/** @type {number} */ channels) => `Show the ${channels} that count most`,
  channelsHelp: "The pictures that come in are in the order of what they add to the sum.",
  aimHelp: "Point at a pixel, or move the frame with the arrow keys, to read its number, its weight and their product.",
  input: (/** @type {number | null} */ channel, /** @type {number} */ row, /** @type {number} */ column) =>
    `${channel === null ? "Row" : `Picture ${channel}, row`} ${row}, column ${column}`.replace(/-/g, "\u2212"),
  feature: (/** @type {number} */ n) => `Unit ${n}`,
  top: (/** @type {number} */ n) => `The ${n} products that count most`,
  others: (/** @type {number} */ n) => `The other ${count(n)}`,
  total: (/** @type {number} */ products, /** @type {number | null} */ bias, /** @type {number} */ sum) => {
    const [all, added, result] = alike([products, bias ?? 0, sum]);
    return bias === null
      ? `Sum of the products = ${result}`
      : `Sum of the products ${all} + bias ${bias < 0 ? `(${added})` : added} = ${result}`;
  },
  worked: (/** @type {string} */ formula, /** @type {Options} */ numbers, /** @type {number} */ result) => {
    let text = formula;
    for (const [name, value] of Object.entries(numbers)) {
      const word = new RegExp(`(?<!\\p{L})${name}(?!\\p{L})`, "gu");
      text = text.replace(word, inBrackets(value));
    }
    return text === formula ? `y = ${number(result)}` : `${text} = ${number(result)}`;
  },
  result: (/** @type {number} */ result) => `y = ${number(result)}`,
  gives: (/** @type {number} */ value) => `The layer itself gives ${number(value)}.`,
  square: "What comes in",
  chosen: ", the largest",
  numbers: (/** @type {number} */ n) => `All ${count(n)} numbers`,
  numbersHelp: "Unfolds a table of every number that goes into this one.",

  exciting: "What excites it most",
  excitingNote: (/** @type {boolean} */ places) =>
    `The validation digits in which it takes its highest values${places ? ", and where" : ""}.`,
  excitingHelp: "Choose one to look at that digit instead.",
  excitingCode: "inspection/exciting.py: exciting",

  imagined: "What each digit is to the network",
  imaginedLead: "The network run backwards, from the answer to the picture: what it would like best to see for each digit.",
  imaginedHelp: "Choose one to follow it through the layers.",
  imaginedCode: "inspection/backquery.py: imagined_digits",

  confusion: "What it takes for what",
  confusionCode: "evaluation/report.py: report",
  confusionHelp: "How many digits of the row were read as the digit of the column: choose a number to see its pictures; arrow keys go from one to the next.",
  axes: "The confusion matrix. Rows: what it is. Columns: what is read. Mistakes are shaded, the more the stronger.",
  accuracy: (/** @type {number} */ correct, /** @type {number} */ total, /** @type {number} */ accuracy) =>
    `Of ${count(total)} validation digits it reads ${count(correct)} right: ${share(accuracy, 2)}.`,
  trueDigit: "What it is",
  readAs: (/** @type {number} */ digit) => `read as ${digit}`,
  truly: (/** @type {number} */ digit) => `is a ${digit}`,
  cellNamed: (/** @type {number} */ label, /** @type {number} */ answer, /** @type {number} */ n) =>
    label === answer
      ? `${count(n)} of digit ${label} read right`
      : `${count(n)} of digit ${label} read as ${answer}`,
  cellNote: "The surest first. Choose one to look at it.",
  cellHelp: "Choose one to follow it through the layers.",
  cellPicture: (/** @type {number} */ index, /** @type {number} */ confidence) =>
    `Validation digit ${index}, read with a confidence of ${share(confidence, 0)}`,
  cellOpen: (/** @type {string} */ title) => `${title}: the pictures are below.`,
  more: (/** @type {number} */ n) => `Show ${n} more`,
  moreHelp: "Shows more of the pictures behind this number.",
};

const visit = {
  region: "First steps",
  again: "First steps",
  againHelp: "Starts the six steps of a first visit again.",
  place: (/** @type {number} */ n, /** @type {number} */ total) => `${n} of ${total}`,
  steps: [
    { view: "draw", words: "Draw a digit, and see it read." },
    { view: "draw", words: "Clear the board and draw something that is no digit. What does it say?" },
    { view: "train", words: "Now train a network of your own: press Start." },
    { view: "train", words: "Watch its curve until it reads 97\u00a0% of the validation digits." },
    { view: "draw", words: "Choose your network as the model, above, and draw a digit for it." },
    { view: "look", words: "See how it does that: open a unit, down to its sum." },
  ],
  below: (/** @type {number} */ accuracy) =>
    `It ended at ${share(accuracy)}: give it one more epoch, or start another.`,
  open: { draw: "Open Draw", train: "Open Train", look: "Open Look" },
  openHelp: "Goes to the view of this step.",
  skip: "Skip",
  skipHelp: "Goes on to the next step.",
  leave: "No, thanks",
  leaveHelp: "Puts the first steps away; they can be started again at the foot of the page.",
  done: "You have trained a network, used it and looked inside. The rest is yours to find.",
  close: "Close",
  closeHelp: "Puts this line away.",
};

export const words = { count, share, time, lab, draw, train, look, visit };
