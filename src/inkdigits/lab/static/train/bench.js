/* Where networks are trained: the form, the run that is shown, the runs that are kept, the duel. */

import { get, patch, post, remove } from "../api.js";
import { made, speak } from "../dom.js";
import { InkDuel } from "./duel.js";
import { complain } from "../elements.js";
import { follow, isLive, Story } from "./follow.js";
import { InkForm } from "./form.js";
import { Overlays } from "./overlays.js";
import { InkRun, stateOf } from "./run.js";
import { InkRuns } from "./runs.js";
import { state } from "../state.js";
import { train as say } from "../words.js";

const SAY_APART = 10_000; // milliseconds between two epochs that are said
const LOOK_AGAIN = 5000; // milliseconds between two looks at the runs
const SOON = 50; // milliseconds in which a run may say more than one state
const AGAIN = 500; // milliseconds until a run that is taken up again may have a process

/**
 * Does something, or says at a place why that could not be done.
 *
 * @param {Element} place
 * @param {() => Promise<void>} act
 */
async function tried(place, act) {
  try {
    await act();
    complain(place, null);
  } catch (error) {
    complain(place, error);
  }
}

/** Puts its parts together: it follows the run that is shown, and tells the other views of it. */
export class InkBench extends HTMLElement {
  #form;
  #run;
  #stiff; // names of recipes that have no knobs
  #runs = new InkRuns();
  #duel = new InkDuel();
  #none = made("p.lead", say.noRun);

  /** @type {RunSummary[]} the newest first */
  #known = [];
  /** @type {RunSummary | null} the one that is shown, and is followed into the story */
  #summary = null;
  #story = new Story();
  #overlays = new Overlays();
  #close = () => {};
  #wanted = false; // a drawing
  #turn = 0; // of the latest look at the runs
  #timer = 0; // to the next
  #said = 0;

  /** @param {TrainingOptions} known */
  constructor(known) {
    super();
    this.#form = new InkForm(known, state.get("settings", null));
    this.#run = new InkRun(known.options.augmentations);
    this.#stiff = known.recipes.filter((one) => !one.steerable).map(({ name }) => name);
    const columns = [made("section", this.#form), made("section", this.#none, this.#run)];
    this.append(
      made("div.columns", columns),
      made("section", this.#runs),
      made("section", this.#duel),
    );
    const { complaint } = this.#run;
    this.#form.start = (settings) => tried(this.#form.complaint, () => this.#begin(settings));
    this.#form.edited = (settings) => state.set("settings", settings);
    this.#run.command = (body) => tried(complaint, () => this.#tell(body));
    this.#run.rename = (name) => tried(complaint, () => this.#rename(name));
    this.#run.use = () => this.#use(state.get("run", ""));
    this.#run.hints.mend = (fix) => this.#mend(fix);
    this.#runs.act = (act, id, on = false) => tried(complaint, () => this.#act(act, id, on));
    state.on("view", () => this.#seen());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#close();
      else if (this.#summary && isLive(this.#summary.state)) this.#listen(this.#summary.id);
      this.#seen();
    });
  }

  /** Whether nobody sees it. */
  get #unseen() {
    return document.hidden || this.closest("[hidden]") !== null;
  }

  /** Asks which runs there are, and where they stand: what they tell themselves is no newer. */
  async refresh() {
    const turn = ++this.#turn;
    if (!this.#unseen) this.#lookAgain(LOOK_AGAIN);
    const { runs } = /** @type {{ runs: RunSummary[] }} */ (await get("/api/lab/runs"));
    if (turn !== this.#turn) return;
    this.#known = runs.reverse();
    const live = this.#known.find((run) => isLive(run.state));
    this.#form.busy(live?.name ?? null);
    const before = this.#summary;
    const found = (/** @type {string} */ id) => this.#known.find((run) => run.id === id);
    this.#summary = found(before?.id ?? "") ?? null;
    if (!this.#summary) {
      const other = live ?? found(state.get("run", "")) ?? this.#known[0];
      if (other) this.#show(other);
      else this.#close();
    } else if (before && isLive(before.state) && !isLive(this.#summary.state)) {
      speak(say.saidEnd(stateOf(this.#story, this.#summary), this.#story.accuracy));
      state.tell("run-ended", this.#summary);
      state.tell("models");
    }
    this.#draw();
  }

  /**
   * Looks at the runs again, so that what ends without a word is noticed too.
   *
   * @param {number} milliseconds
   */
  #lookAgain(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.refresh().catch(() => {}); // the frame says that the lab is away
    }, milliseconds);
  }

  /** The view may be seen again. */
  #seen() {
    if (this.#unseen) return;
    this.#lookAgain(0);
    this.#draw();
  }

  /**
   * Shows a run and follows it.
   *
   * @param {RunSummary} run
   */
  #show(run) {
    this.#summary = run;
    this.#story = new Story();
    this.#overlays.turn(run.id, false);
    this.#run.taken();
    complain(this.#run.complaint, null);
    state.set("run", run.id);
    this.#listen(run.id);
    this.#draw();
  }

  /** @param {string} id */
  #listen(id) {
    this.#close();
    this.#close = follow(id, this.#story, (type, data) => this.#hear(type, data));
  }

  /** @param {string} type @param {any} data */
  #hear(type, data) {
    const run = this.#summary;
    if (!run) return;
    if (type === "state" || type === "lost") this.#lookAgain(SOON);
    else if (type === "epoch") this.#sayEpoch(data);
    else if (type === "change") this.#run.taken();
    else if (type === "end") this.#settle(run.id);
    else if (type === "point" && isLive(run.state)) {
      run.accuracy = this.#story.accuracy;
      state.tell("run-point", { run, validation_accuracy: data.validation_accuracy });
    }
    this.#draw();
  }

  /**
   * The stream is over: so is the run, unless it is just being taken up again.
   *
   * @param {string} id
   */
  async #settle(id) {
    await this.refresh().catch(() => {});
    const goesOn = () => this.#summary?.id === id && isLive(this.#summary.state);
    if (goesOn()) setTimeout(() => goesOn() && this.#listen(id), AGAIN);
  }

  /** @param {RunEpoch} epoch */
  #sayEpoch({ epoch, accuracy = null }) {
    const past = this.#story.now === null; // what is told has not come to this moment yet
    if (past || this.#unseen || performance.now() < this.#said + SAY_APART) return;
    this.#said = performance.now();
    speak(say.saidEpoch(epoch, accuracy));
  }

  /** @param {RunSettings} settings */
  async #begin(settings) {
    const run = /** @type {RunSummary} */ (await post("/api/lab/runs", settings));
    this.#form.busy(run.name);
    this.#known.unshift(run);
    this.#show(run);
    this.#said = performance.now();
    speak(say.saidStart(run.name));
    state.tell("run-started", run);
    const below = this.#run.getBoundingClientRect().top > innerHeight / 2;
    if (below) this.#run.scrollIntoView();
    await this.refresh();
  }

  /**
   * Tells the run that is shown what to do.
   *
   * @param {Record<string, unknown>} body
   */
  async #tell(body) {
    const run = this.#summary;
    if (!run) return;
    await post(`/api/lab/runs/${run.id}/commands`, body);
    if (isLive(run.state)) return;
    await this.refresh(); // it has been taken up again
    this.#listen(run.id);
  }

  /** @param {string} name */
  async #rename(name) {
    const run = this.#summary;
    if (!run || !name || name === run.name) return;
    await patch(`/api/lab/runs/${run.id}`, { name });
    await this.refresh();
    state.tell("models");
  }

  /** @param {string} id */
  #use(id) {
    state.set("model", id);
    location.hash = "#draw";
  }

  /** @param {Fix} fix */
  #mend({ change, settings }) {
    const run = this.#summary;
    if (!run) return;
    if (change && isLive(run.state)) this.#run.command({ do: "change", ...change });
    else this.#form.fill({ ...run.settings, name: null, ...(settings ?? change) });
  }

  /** @param {Act} act @param {string} id @param {boolean} on */
  async #act(act, id, on) {
    if (act === "use") this.#use(id);
    else if (act === "overlay") await this.#overlays.turn(id, on);
    else if (act === "remove") {
      await remove(`/api/lab/runs/${id}`);
      this.#overlays.turn(id, false);
      await this.refresh();
      state.tell("models");
    } else {
      const run = this.#known.find((one) => one.id === id);
      if (run) this.#show(run);
      if (act === "go") await this.#tell({ do: "go" });
      if (this.#run.getBoundingClientRect().bottom < 100) this.#run.scrollIntoView();
    }
    this.#draw();
  }

  /** Draws once, with the next frame, whatever has come until then. */
  #draw() {
    if (this.#wanted || this.#unseen) return;
    this.#wanted = true;
    requestAnimationFrame(() => {
      this.#wanted = false;
      if (!this.#unseen) this.#drawNow();
    });
  }

  #drawNow() {
    const run = this.#summary;
    this.#run.hidden = !run;
    this.#none.hidden = Boolean(run);
    this.#runs.show(this.#known, run?.id ?? null, this.#overlays.ids);
    this.#duel.show(this.#known);
    if (!run) return;
    const steerable = !this.#stiff.includes(run.settings.recipe ?? "");
    this.#run.draw(this.#story, run, this.#overlays.of(this.#known), steerable);
  }
}

customElements.define("ink-bench", InkBench);
