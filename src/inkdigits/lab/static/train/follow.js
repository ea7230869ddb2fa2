/* A run's story: its events put together, each once, whatever the stream does. */

import { withQuery } from "../api.js";

const MOST_POINTS = 4000; // kept of a run, however long it is

/** States of a run whose process has ended. */
const ENDED = ["done", "stopped", "diverged", "interrupted", "failed"];

/** @param {string} runState */
export const isLive = (runState) => !ENDED.includes(runState);

/** What is known of a run. The lists are in the order of the steps, without one twice. */
export class Story {
  /** @type {RunPoint[]} */
  points = [];
  /** @type {RunEpoch[]} */
  epochs = [];
  /** @type {RunChange[]} */
  changes = [];
  /** @type {RunNow | null} */
  now = null;
  last = 0; // id of the latest event

  /**
   * Takes an event; false where it was known already.
   *
   * @param {string} type
   * @param {any} data
   * @param {number} [id] of what is in the run's journal
   */
  take(type, data, id = 0) {
    if (id && id <= this.last) return false;
    this.last = Math.max(this.last, id);
    if (type === "point") {
      placed(this.points, data);
      if (this.points.length > MOST_POINTS) {
        this.points = this.points.filter((_, n, all) => n % 2 === 0 || n === all.length - 1);
      }
    } else if (type === "epoch") placed(this.epochs, data);
    else if (type === "change") this.changes.push(data);
    else if (type === "now") this.now = data;
    else if (type === "rewound") {
      const stands = (/** @type {{ step: number }} */ { step }) => step <= data.step;
      this.points = this.points.filter(stands);
      this.epochs = this.epochs.filter(stands);
      this.changes = this.changes.filter(stands);
    }
    return true;
  }

  /** The latest validation accuracy: of all digits at the end of an epoch, else of a sample. */
  get accuracy() {
    const point = this.points.at(-1);
    const epoch = this.epochs.at(-1);
    if (epoch && epoch.accuracy !== null && epoch.step >= (point?.step ?? 0)) return epoch.accuracy;
    return point?.validation_accuracy ?? null;
  }
}

/**
 * Puts a record where its step belongs, in the place of one of the same step.
 *
 * @template {{ step: number }} Kind
 * @param {Kind[]} list
 * @param {Kind} record
 */
function placed(list, record) {
  let place = list.length;
  while (place && list[place - 1].step >= record.step) place--;
  list.splice(place, list[place]?.step === record.step ? 1 : 0, record);
}

/** @param {Story} story @returns {RunPoint[]} at the end of each epoch, and now */
export function byEpoch(story) {
  let place = 0;
  const rows = story.epochs.map(({ epoch, step, loss, accuracy }) => {
    while (story.points[place + 1]?.step <= step) place++;
    const point = story.points[place];
    return {
      step,
      epoch,
      loss: loss ?? point?.loss ?? null,
      accuracy: point?.accuracy ?? null,
      validation_loss: point?.validation_loss ?? null,
      validation_accuracy: accuracy ?? point?.validation_accuracy ?? null,
    };
  });
  const latest = story.points.at(-1);
  if (latest && latest.step > (rows.at(-1)?.step ?? -1)) rows.push(latest);
  return rows;
}

const TYPES = ["point", "epoch", "change", "state", "rewound", "now"];
const AGAIN = [500, 1000, 2000, 4000]; // milliseconds to the next try

/**
 * Follows a run into its story, through dropped streams, until its process has ended.
 *
 * @param {string} id
 * @param {Story} story
 * @param {(type: string, data: any) => void} told of each new event; of "end", and of "lost" when
 *   the stream has dropped and is tried again
 * @returns {() => void} ends it
 */
export function follow(id, story, told) {
  /** @type {EventSource} */
  let source;
  let timer = 0;
  let tries = 0;
  const open = () => {
    source = new EventSource(withQuery(`/api/lab/runs/${id}/events`, { after: story.last }));
    for (const type of TYPES) {
      source.addEventListener(type, (event) => {
        tries = 0;
        const data = JSON.parse(event.data);
        const number = type === "now" ? 0 : Number(event.lastEventId);
        if (story.take(type, data, number)) told(type, data);
      });
    }
    source.addEventListener("end", () => {
      source.close();
      told("end", {});
    });
    // The browser's own way to try again does not outlive every error, so this is ours.
    source.onerror = () => {
      source.close();
      timer = window.setTimeout(open, AGAIN[Math.min(tries++, AGAIN.length - 1)]);
      told("lost", {});
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/**
 * The story so far of a run that nobody looks at live.
 *
 * @param {string} id
 * @returns {Promise<Story>}
 */
export function storyOf(id) {
  const story = new Story();
  return new Promise((resolve) => {
    const end = follow(id, story, (type) => {
      // What is in the journal comes before the first "now".
      if (!["now", "end", "lost"].includes(type)) return;
      end();
      resolve(story);
    });
  });
}
