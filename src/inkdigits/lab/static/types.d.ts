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

interface Reading {
  size: [number, number];
  digit: number;
  probability: number;
  probabilities: number[];
  not_a_digit: number | null;
  confidence: number;
  rejected: boolean;
  box: [number, number, number, number] | null;
  model: string;
  glyph?: string;
  stages?: { picture: string; ink: string | null };
}

/** Of the exported page's board.js, ink.js and glyph.js, which are plain scripts. */
interface Stroke {
  width: number;
  points: [number, number][];
}

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

/** Of the Draw view. */
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

/** Of the Look view: a layer, and what it makes of a digit. */
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
