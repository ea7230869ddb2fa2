/* The shapes of what the lab answers, and what plain scripts of the exported page define: for the checker
   of types alone, and known in every file. */

interface ModelInfo {
  name: string;
  title: string;
  recipe: string;
  parameters: number;
  tells_digits: boolean;
  calibrated: boolean;
  scores: Record<string, { correct: number; total: number; accuracy: number }>;
}

interface LayerInfo {
  position: number;
  kind: string;
  code: string;
  shape: number[];
  parameters: number;
  words: string;
}

/** x, y, width and height in a picture's own pixels. */
type Bounds = [number, number, number, number];

interface ReadDigit {
  digit: number;
  probability: number;
  box: Bounds;
}

interface NumberRead {
  text: string;
  confidence: number;
  box: Bounds;
  digits: ReadDigit[];
  line: number;
}

interface Reading {
  size: [number, number];
  digit: number;
  probability: number;
  probabilities: number[];
  not_a_digit: number | null;
  confidence: number;
  rejected: boolean;
  numbers: NumberRead[];
  rows: string[][];
  box: Bounds | null;
  model: string;
  glyph?: string;
  stages?: { picture: string; ink: string | null };
}

/** Of the exported page's board.js, ink.js and glyph.js, which are plain scripts. */
interface Stroke {
  width: number;
  points: [number, number][];
}

declare const SHEET: number;

declare class Board {
  constructor(
    canvas: HTMLCanvasElement,
    tell: { changed(): void; ended(): void; penMoved(where: "down" | "up"): void },
  );
  strokes: Stroke[];
  past: Stroke[][];
  brush: number;
  ink: { height: number; width: number; values: Uint8Array };
  readonly empty: boolean;
  readonly drawing: boolean;
  undo(): void;
  clear(): void;
  show(strokes: Stroke[]): void;
  draw(): void;
}

/* Of the Train view. */

interface LayerSettings {
  kind: "convolution" | "dense";
  units: number;
  kernel?: number;
  pool?: boolean;
}

interface NetworkSettings {
  layers: LayerSettings[];
  activation: string;
  loss: string;
  optimizer: string;
}

interface RunSettings {
  recipe: string | null;
  network: NetworkSettings | null;
  epochs: number | null;
  batch: number | null;
  rate: number | null;
  schedule: string | null;
  augmentation: string | null;
  images: number;
  wrong_labels: number;
  seed: number;
  name: string | null;
}

type NumberField = "batch" | "epochs" | "images" | "rate" | "seed";
type NetworkField = "activation" | "loss" | "optimizer";
type RecipeField = "schedule" | "augmentation";
type Field = NumberField | NetworkField | RecipeField | "wrongLabels";

/** The fields of a new run's settings, and a part to unfold with the others. */
type SettingsFields = (
  settings: RunSettings,
  options: TrainingOptions["options"],
  recipe: RecipeInfo | undefined, // none for a network of one's own
  edit: (part: Partial<RunSettings>) => void,
  editNetwork: (part: Partial<NetworkSettings>) => void,
) => { usual: (HTMLElement | false)[]; others: HTMLElement[] };

interface RecipeInfo {
  name: string;
  purpose: string;
  epochs: number;
  batch: number;
  rate: number;
  seconds: number | null;
  accuracy: number | null;
  parameters: number;
  layers: string[];
  steerable: boolean;
}

interface TrainingOptions {
  recipes: RecipeInfo[];
  options: Record<"activations" | "losses" | "optimizers" | "schedules" | "augmentations", string[]>;
  default: RunSettings;
}

interface Estimate {
  parameters: number;
  layers: { words: string; shape: number[]; parameters: number }[];
  seconds: number | null;
  steps: number;
}

interface Score {
  correct: number;
  total: number;
  accuracy: number;
  interval: [number, number];
}

type Scores = { mnist: Score | null; own: Score | null };

interface RunSummary {
  id: string;
  name: string;
  kind: "training" | "lesson";
  created: string | number;
  settings: Partial<RunSettings>;
  state: string;
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  accuracy: number | null;
  loss: number | null;
  seconds: number | null;
  parameters: number | null;
  has_model: boolean;
  before: Scores | null;
  after: Scores | null;
  message: string | null;
}

interface RunPoint {
  step: number;
  epoch: number;
  loss: number | null;
  accuracy: number | null;
  validation_loss: number | null;
  validation_accuracy: number | null;
}

interface RunEpoch {
  epoch: number;
  step: number;
  loss: number | null;
  accuracy: number | null;
}

interface RunChange {
  step: number;
  epoch: number;
  rate?: number;
  batch?: number;
  augmentation?: string | null;
  epochs?: number;
}

/** What a live knob sets. */
type Knobs = Record<string, string | number | null>;

/** What mends what is off: a change of the running run, or settings for another. */
interface Fix {
  change?: Knobs;
  settings?: Partial<RunSettings>;
}

interface Hint {
  kind: string;
  values: Record<string, any>;
  fix: Fix | null;
}

interface LayerFigures {
  layer: number;
  name: string;
  weight_norm?: number;
  gradient_norm?: number;
  dead?: number;
}

interface RunNow {
  step: number;
  steps: number;
  epoch: number;
  epochs: number;
  loss: number | null;
  rate: number;
  batch: number | null;
  augmentation: string | null;
  pace: number | null;
  left: number | null;
  per_second: number | null;
  layers: LayerFigures[];
  weights: { count: number; side: number; pixels: string } | null;
  wrong: { index: number; label: number; answer: number; confidence: number }[];
  hints: Hint[];
}

interface DuelSide {
  name: string;
  correct: number;
  total: number;
  accuracy: number;
  interval: [number, number];
}

interface Duel {
  a: DuelSide;
  b: DuelSide;
  only_a: number;
  only_b: number;
  p_value: number;
  difference: number;
  interval: [number, number];
  disagree: { index: number; label: number; a: number; b: number }[];
}

/** Of a run. */
type Figure = "loss" | "accuracy" | "validation_loss" | "validation_accuracy";

type Story = import("./train/follow.js").Story;

/** Whose curves are shown. */
type Run = { name: string; story: Story };

/** A run in the list. */
interface RunRow {
  element: HTMLLIElement;
  show(run: RunSummary, shown: boolean, overlaid: boolean): void;
}

/** Of an SVG element, and its `text`. */
type Attributes = Record<string, string | number>;

/** What can be wanted of a run in the list. */
type Act = "select" | "overlay" | "use" | "go" | "remove";

type Point = [number, number];

/** In a chart. */
interface Curve {
  name: string;
  colour: number; // 1 to 6
  dash?: string;
  thin?: boolean;
  points: Point[]; // in the order of x
  dots?: Point[]; // marked on it
  end?: Point; // where its name and value stand, if not at its last point
}

/* Of the Draw view. */

/** What was read, and what it became. */
interface Subject {
  picture: Uint8Array;
  part: string | null; // of the picture: the box of its digit
  glyph: Uint8Array;
}

interface Alike {
  data: string;
  indices: number[];
  labels: number[];
  among: number;
}

interface Trial {
  name: string;
  digit: number | null;
  confidence: number;
  changes: boolean;
  glyph: string;
}

interface Explained {
  verdict: string;
  looks: string[];
  advice: string[];
  trials: Trial[];
}

interface Correction {
  id: string;
  label: number;
  glyph: string;
}

/** A layer of the Look view, and what it makes of a digit. */
interface LayerValues extends LayerInfo {
  low: number;
  high: number;
  values: Float32Array;
}

interface Arithmetic {
  kind: string;
  code: string;
  formula: string;
  note: string;
  patch: { shape: number[]; values: string };
  origin?: number[];
  weights: { shape: number[]; values: string } | null;
  bias: number;
  numbers?: Record<string, number>;
  chosen?: number | null;
  sum: number;
  value: number;
}

/* Of the Look view. */

/** Top, left, bottom, right, all of them inside. */
type Box = [number, number, number, number];

/** A unit that is opened, and of what. */
interface Opened {
  model: string;
  fingerprint: string;
  glyph: Uint8Array;
  layers: LayerValues[];
  layer: number;
  unit: number;
}

type Unit = Pick<Opened, "layer" | "unit">;

type Shown = Omit<Opened, keyof Unit>;

/** And a place in it: an index in the unit's picture, null where it has none. */
type Placed = Opened & { place: number | null };

/** Who is told of a place that is aimed at, and what is said of it. */
interface Aim {
  aimed(index: number): void;
  says(index: number): string;
  follows?: boolean; // whether the pointer need only pass over it
}

type Numbers = Float32Array | Float64Array;

/** A sum to be shown. */
interface Sum {
  shape: number[]; // (C, K, K) of a convolution, (H, W) of a picture, (D,) of features
  x: Float32Array;
  w: Float32Array;
  products: Float64Array;
  nameOf(n: number): string; // which input one is
}

/** What was chosen to be looked at. */
interface Looked {
  data: string;
  index: number;
  glyph?: string; // the pixels of what is in no data set
  beside: string; // the drawing that there was at that moment: a newer one takes its place
}

/** A digit of a data set in a gallery. */
interface Captioned {
  index: number;
  caption: string;
}

interface Confusion {
  counts: number[][];
  correct: number;
  accuracy: number;
  total: number;
}

/** Of the confusion matrix. */
interface Cell {
  model: string;
  label: number;
  answer: number;
  count: number;
}

interface Exciting {
  data: string;
  indices: number[];
  values: number[];
  places: [number, number][] | null; // rows and columns; null where units have none
}

/** Of an element. */
type Child = string | number | Node | null | undefined | false;

/** Of an address; null and undefined leave a part away. */
type Query = Record<string, string | number | boolean | null | undefined>;

/** Of a gallery; a button where it acts. */
interface GalleryItem {
  glyph: Uint8Array;
  caption: string;
  name: string;
  act?: () => void;
}

/* Of words.js. */

/** What a control is called, and its one sentence of explanation. */
type Named = [label: string, help: string];

type Told = (...told: never[]) => string | string[];

/** The texts of a part of the page; those that are told something are named below, with what. */
interface Texts {
  [name: string]: string | Named | string[] | Named[] | Told | Record<string, string | Named | Told>;
}

type Maybe = number | null | undefined;

/** Texts of a part of the page, checked. */
type TextsOf = <Part extends keyof PartsOfTexts, Texts extends PartsOfTexts[Part]>(
  part: Part,
  texts: Texts,
) => Texts;

interface PartsOfTexts {
  lab: Texts & {
    title(view: string): string;
    refused(status: number): string;
    views: Record<string, Named>;
  };
  draw: Texts & {
    tooLarge(most: number): string;
    noneKnown(none: number): string;
    digitOf(sign: string, digit: number, probability: number): string;
    onPage(probability: number, digit: number): string;
    sureness(how: string, confidence: number, digit: number): string;
    nearestAmong(among: number): string;
    allTrials(total: number): string;
    noneAlters(total: number): string;
    trial(name: string, digit: number | null, confidence: number): string;
    keep(digit: number): Named;
    keptNow(digit: number): string;
    keptCount(counts: number[]): string;
    lessonName(model: string, total: number): string;
    learning(model: string): string;
    left(seconds: number): string;
    learned(name: string): string;
    range(interval: [number, number]): string;
  };
  train: Texts & {
    purpose(recipe: RecipeInfo): string;
    startBusy(name: string): string;
    estimate(parameters: number, seconds: number | null): string;
    layer(n: number): string;
    kinds: Record<string, string>;
    layerRow(layer: Estimate["layers"][0]): string[];
    usual(recipe: boolean): string;
    value(value: string): string;
    state(run: RunSummary, left: number | null): string;
    paces(steps: number): string;
    epochOf(done: number, epochs: number): string;
    lossOf(value: Maybe): string;
    accuracyOf(value: Maybe, places?: number): string;
    perSecond(value: Maybe): string;
    taught(run: RunSummary): string;
    tick(value: number): string;
    applied(change: RunChange): string;
    weightsNote(shown: number, count: number): string;
    weightsName(count: number): string;
    layerFigures(layer: RunNow["layers"][0]): string[];
    wrongCaption(digit: RunNow["wrong"][0]): string;
    wrongName(digit: RunNow["wrong"][0]): string;
    fix(values: Record<string, any>): string;
    facts(run: RunSummary): string[];
    of(act: string, name: string): string;
    removeAsk(name: string): string;
    duelOption(run: RunSummary): string;
    duelRow(side: DuelSide, only: number): string[];
    duelSaid(duel: Duel): string;
    disagreeCaption(digit: Duel["disagree"][0]): string;
    disagreeName(digit: Duel["disagree"][0]): string;
    saidStart(name: string): string;
    saidEpoch(epoch: number, accuracy: number | null): string;
    saidEnd(said: string, accuracy: number | null): string;
  };
  look: Texts & {
    imaginedDigit(digit: number): string;
    shape(...shape: number[]): string;
    unitsOf(layer: number): string;
    output(unit: number): string;
    unitOf(layer: number, unit: number): string;
    opened(layer: number, unit: number): string;
    picture(layer: number, unit: number): string;
    at(row: number, column: number, value: number): string;
    value(value: number): string;
    product(x: number, w: number, product: number): string;
    channel(channel: number, sum: number): string;
    otherChannels(channels: number): string;
    input(row: number, column: number): string;
    inputOf(picture: number, row: number, column: number): string;
    feature(n: number): string;
    top(n: number): string;
    others(n: number): string;
    result(value: number): string;
    gives(value: number): string;
    numbers(n: number): string;
    accuracy(correct: number, total: number, accuracy: number): string;
    readAs(digit: number): string;
    truly(digit: number): string;
    cellNamed(label: number, answer: number, n: number): string;
    digitNamed(index: number, label: number | null): string;
    read(
      name: string,
      label: number | null,
      probabilities: number[],
      none: number | null,
    ): string;
    layer(position: number, name: string): string;
    unitNamed(layer: number, unit: number, value: string, picture: boolean): string;
    total(products: number, bias: number | null, sum: number): string;
    worked(formula: string, numbers: Record<string, number>, result: number): string;
    excitingNote(places: boolean): string;
    cellOpen(title: string): string;
  };
  visit: Texts & {
    place(n: number, total: number): string;
    below(accuracy: number): string;
    open(view: string): string;
  };
}
