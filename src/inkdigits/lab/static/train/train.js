/* The view Train: choose a network, watch it learn, keep it, compare it. */

import { get, patch, post, remove } from "../api.js";
import { made, speak } from "../dom.js";
import { InkDuel } from "./duel.js";
import { complain } from "../elements.js";
import { ENDED, follow, isLive, Story } from "./follow.js";
import { InkForm } from "./form.js";
import { Overlays } from "./overlays.js";
import { InkRun, stateOf } from "./run.js";
import { InkRuns } from "./runs.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../types").RunSummary} RunSummary */

const say = words.train;
const SAY_APART = 10_000; // milliseconds between two epochs that are said
const LOOK_AGAIN = 5000; // milliseconds between two looks at a run that goes on
const AGAIN = 500; // milliseconds until a run that is taken up again may have a process

/** The view. It follows the run that is shown, and tells the other views of it. */
export class InkTrain extends HTMLElement {
  #form = new InkForm();
  #run = new InkRun();
  #runs = new InkRuns();
  #duel = new InkDuel();
  #complaint = made("div");
  #none = made("p", { className: "lead" }, say.noRun);

  /** @type {RunSummary[]} */
  #known = [];
  /** @type {string[]} names of recipes that have no knobs */
  #stiff = [];
  /** @type {RunSummary | null} */
  #summary = null;
  #story = new Story();
  #overlays = new Overlays();
  #close = () => {};
  #going = ""; // the run whose end is still to be told
  #ready = false;
  #wanted = false; // a drawing
  #turn = 0; // of what the run says of its state: an older answer than that is no news
  #said = 0;
  #timer = 0;

  connectedCallback() {
    if (this.#form.parentNode) return;
    const columns = made("div", { className: "columns" });
    columns.append(
      made("section", {}, this.#complaint, this.#form),
      made("section", {}, this.#none, this.#run),
    );
    this.append(
      made("h1", { className: "aloud" }, words.lab.train),
      columns,
      made("section", {}, this.#runs),
      made("section", {}, this.#duel),
    );
    this.#run.hidden = true;
    this.#form.start = (settings) => this.#begin(settings);
    this.#form.edited = (settings) => state.set("settings", settings);
    this.#run.command = (body) => this.#tell(body);
    this.#run.rename = (name) => this.#rename(name);
    this.#run.use = () => this.#summary && this.#use(this.#summary.id);
    this.#run.mend = (fix) => this.#mend(fix);
    this.#runs.act = (act, id, on) => this.#act(act, id, on === true);
    state.on("back", () => this.#load());
    state.on("view", () => this.#seen());
    state.on("run", (id) => id !== this.#summary?.id && this.#show(id));
    state.on("run-started", (run) => run && run.id !== this.#summary?.id && this.#show(run.id));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#close();
      else if (this.#summary && isLive(this.#summary.state)) this.#listen();
      this.#seen();
    });
    this.#load();
  }

  async #load() {
    try {
      if (!this.#ready) {
        const options = /** @type {import("../types").TrainingOptions} */ (
          await get("/api/lab/recipes")
        );
        this.#stiff = options.recipes.filter((one) => !one.steerable).map(({ name }) => name);
        this.#form.setup(options, state.get("settings", null));
        this.#run.setup(options.options.augmentations);
        this.#ready = true;
      }
      complain(this.#complaint, null);
      await this.#refresh();
      const shown = this.#known.find(({ id }) => id === state.get("run", ""));
      const run = this.#known.find((one) => isLive(one.state)) ?? shown ?? this.#known[0];
      if (run && run.id !== this.#summary?.id) await this.#show(run.id);
    } catch (error) {
      complain(this.#complaint, error);
    }
  }

  /** Asks which runs there are. */
  async #refresh() {
    const turn = this.#turn;
    const { runs } = /** @type {{ runs: RunSummary[] }} */ (await get("/api/lab/runs"));
    this.#known = runs.sort((a, b) => (a.created < b.created ? 1 : -1));
    const mine = this.#known.find(({ id }) => id === this.#summary?.id);
    if (mine && this.#summary) {
      if (turn !== this.#turn) mine.state = this.#summary.state;
      this.#summary = mine;
      if (isLive(mine.state)) this.#going = mine.id;
      else if (this.#going === mine.id) this.#ended(mine);
    } else if (this.#summary) {
      this.#leave();
    }
    const live = this.#known.find((run) => isLive(run.state));
    this.#form.busy(live ? live.name : null);
    clearTimeout(this.#timer);
    if (live) this.#timer = window.setTimeout(() => this.#lookAgain(), LOOK_AGAIN);
    this.#draw();
  }

  /** What ends without a word is noticed too. */
  #lookAgain() {
    if (this.hidden || document.hidden) return;
    this.#refresh().catch(() => {}); // the frame says that the lab is away
  }

  /** The view may be seen again. */
  #seen() {
    if (!this.#ready || this.hidden || document.hidden) return;
    this.#lookAgain();
    this.#draw();
  }

  /**
   * Shows a run and follows it.
   *
   * @param {string} id
   */
  async #show(id) {
    if (!this.#known.some((run) => run.id === id)) await this.#refresh().catch(() => {});
    const summary = this.#known.find((run) => run.id === id);
    if (!summary) return;
    this.#close();
    this.#summary = summary;
    this.#story = new Story();
    this.#overlays.turn(id, false);
    if (isLive(summary.state)) this.#going = id;
    this.#run.begin();
    state.set("run", id);
    this.#listen();
    this.#draw();
  }

  /** No run is shown any more. */
  #leave() {
    this.#close();
    this.#summary = null;
    this.#story = new Story();
    this.#turn++;
    const [next] = this.#known;
    if (next) this.#show(next.id);
  }

  #listen() {
    const summary = this.#summary;
    if (!summary) return;
    this.#close();
    this.#close = follow(summary.id, this.#story, (type, data) => this.#hear(type, data));
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  #hear(type, data) {
    const summary = this.#summary;
    if (!summary) return;
    if (type === "state") this.#turned(summary, data);
    else if (type === "point" && isLive(summary.state)) {
      summary.accuracy = this.#story.accuracy;
      state.tell("run-point", { run: summary, validation_accuracy: data.validation_accuracy });
    } else if (type === "epoch") this.#sayEpoch(data);
    else if (type === "change") this.#run.taken();
    else if (type === "lost") this.#lookAgain();
    else if (type === "end") this.#settle(summary.id);
    this.#draw();
  }

  /**
   * The run says its state. What it says of the past, while it is told from its beginning, is no
   * news: the list of runs knew better.
   *
   * @param {RunSummary} summary
   * @param {{ state: string, message?: string }} news
   */
  #turned(summary, news) {
    const ended = ENDED.includes(news.state);
    if (ended !== !isLive(summary.state) && !this.#caughtUp) return;
    this.#turn++;
    Object.assign(summary, { message: null }, news);
    if (ended) this.#refresh().catch(() => {}); // the list knows all of it
  }

  /** Whether what is told has come to this moment: then there is a "now". */
  get #caughtUp() {
    return this.#story.now !== null;
  }

  /**
   * The stream is over: so is the run, unless it is just being taken up again.
   *
   * @param {string} id
   */
  async #settle(id) {
    await this.#refresh().catch(() => {});
    if (this.#summary?.id !== id || !isLive(this.#summary.state)) return;
    setTimeout(() => this.#summary?.id === id && this.#listen(), AGAIN);
  }

  /** @param {RunSummary} summary */
  #ended(summary) {
    this.#going = "";
    speak(say.saidEnd(stateOf(this.#story, summary), this.#story.accuracy));
    state.tell("run-ended", summary);
    state.tell("models");
  }

  /** @param {import("../types").RunEpoch} epoch */
  #sayEpoch({ epoch, accuracy = null }) {
    if (!this.#caughtUp || this.hidden || performance.now() < this.#said + SAY_APART) return;
    this.#said = performance.now();
    speak(say.saidEpoch(epoch, accuracy));
  }

  /**
   * Starts a run.
   *
   * @param {import("../types").RunSettings} settings
   */
  async #begin(settings) {
    try {
      const run = /** @type {RunSummary} */ (await post("/api/lab/runs", settings));
      this.#form.complain(null);
      this.#form.begun();
      this.#known = [run, ...this.#known];
      this.#form.busy(run.name);
      await this.#show(run.id);
      this.#said = performance.now();
      speak(say.saidStart(run.name));
      state.tell("run-started", run);
      const below = this.#run.getBoundingClientRect().top > innerHeight / 2;
      if (below) this.#run.scrollIntoView();
      await this.#refresh();
    } catch (error) {
      this.#form.complain(error);
    }
  }

  /**
   * Tells the run that is shown what to do.
   *
   * @param {Record<string, unknown>} body
   */
  async #tell(body) {
    const summary = this.#summary;
    if (!summary) return;
    const was = isLive(summary.state);
    try {
      await post(`/api/lab/runs/${summary.id}/commands`, body);
      this.#run.complain(null);
      if (was) return;
      await this.#refresh(); // it has been taken up again
      this.#listen();
    } catch (error) {
      this.#run.complain(error);
      this.#run.taken();
    }
  }

  /** @param {string} name */
  async #rename(name) {
    const summary = this.#summary;
    if (!summary || name === summary.name) return;
    try {
      await patch(`/api/lab/runs/${summary.id}`, { name });
      this.#run.complain(null);
      await this.#refresh();
      state.tell("models");
    } catch (error) {
      this.#run.complain(error);
    }
  }

  /** @param {string} id */
  #use(id) {
    state.set("model", id);
    location.hash = "#draw";
  }

  /** @param {import("../types").Fix} fix */
  #mend(fix) {
    const summary = this.#summary;
    if (!summary) return;
    if (fix.change && isLive(summary.state)) this.#tell({ do: "change", ...fix.change });
    else this.#form.fill({ ...summary.settings, name: null, ...(fix.settings ?? fix.change) });
  }

  /**
   * @param {"select" | "overlay" | "use" | "go" | "remove"} act
   * @param {string} id
   * @param {boolean} on
   */
  async #act(act, id, on) {
    if (act === "use") return this.#use(id);
    try {
      if (act === "overlay") {
        await this.#overlays.turn(id, on);
        this.#draw();
        return;
      }
      if (act === "remove") {
        await remove(`/api/lab/runs/${id}`);
        this.#overlays.turn(id, false);
        await this.#refresh();
        state.tell("models");
        return;
      }
      await this.#show(id);
      if (act === "go") await this.#tell({ do: "go" });
      if (this.#run.getBoundingClientRect().bottom < 100) this.#run.scrollIntoView();
    } catch (error) {
      this.#run.complain(error);
    }
  }

  /** Draws once, with the next frame, whatever has come until then. */
  #draw() {
    if (this.#wanted || !this.#ready || this.hidden || document.hidden) return;
    this.#wanted = true;
    requestAnimationFrame(() => {
      this.#wanted = false;
      if (!this.hidden) this.#drawNow();
    });
  }

  #drawNow() {
    const summary = this.#summary;
    this.#run.hidden = !summary;
    this.#none.hidden = Boolean(summary);
    this.#runs.show(this.#known, summary?.id ?? null, this.#overlays.ids);
    this.#duel.show(this.#known);
    if (!summary) return;
    const others = this.#overlays.of(this.#known, summary.id);
    const steerable = !this.#stiff.includes(summary.settings.recipe ?? "");
    this.#run.draw(this.#story, summary, others, steerable);
  }
}

customElements.define("ink-train", InkTrain);
