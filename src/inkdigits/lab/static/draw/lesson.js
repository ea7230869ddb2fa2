/* A lesson: a model goes on learning with the user's corrections; then it answers, beside what it
   reached before and after. */

import { ApiError, get, post } from "../api.js";
import { button, made, put, speak } from "../dom.js";
import { complain } from "../elements.js";
import { state } from "../state.js";
import { follow, isLive, Story } from "../train/follow.js";
import { words } from "../words.js";

const say = words.draw;

/**
 * What to teach where a model is chosen: not one that was taught already, which may have learned
 * what is held out now, but the one that it came from.
 *
 * @param {string} model
 * @returns {Promise<string>}
 */
async function startOf(model) {
  if (model === "reader") return model;
  const { kind, settings } = await get(`/api/lab/runs/${model}`);
  return kind === "lesson" ? startOf(settings.model) : model;
}

/**
 * The run of a lesson is kept in the state as "lesson", with whether its model was chosen already,
 * so that a lesson goes on being shown after a reload.
 */
export class InkLesson extends HTMLElement {
  #kept = 0;
  #run = "";
  #learn = button(say.learn, () => this.#begin());
  #progress = made("progress", { max: 1, "aria-label": say.learn[0] });
  #left = made("span.note");
  #stop = button(say.stop, () => this.#end());
  #going = made("div.tools", this.#progress, this.#left, this.#stop);
  #trouble = made("div");
  #result = made("div");

  constructor() {
    super();
    this.append(this.#learn, this.#going, this.#trouble, this.#result);
    this.#going.hidden = true;
    const { run } = state.get("lesson", { run: "" });
    if (run) this.#show(run);
  }

  /** @param {number} total how many corrections there are to learn from */
  set kept(total) {
    this.#kept = total;
    this.#offer(!this.#going.hidden);
  }

  /** @param {boolean} live whether there is a lesson to stop, or one could begin */
  #offer(live) {
    const stopped = !live && document.activeElement === this.#stop;
    this.#learn.hidden = live || !this.#kept;
    this.#going.hidden = !live;
    if (stopped) this.#learn.focus();
  }

  async #begin() {
    complain(this.#trouble, null);
    this.#learn.disabled = true; // once is enough
    try {
      const model = await startOf(state.get("model", "reader"));
      const { title } = await get(`/api/models/${model}`);
      const name = say.lessonName(title, this.#kept);
      const { id } = await post("/api/lab/learn", { model, name });
      state.set("lesson", { run: id, chosen: false });
      put(this.#result, made("p", say.learning(title)));
      speak(say.learning(title));
      await this.#show(id);
    } catch (error) {
      complain(this.#trouble, error);
    }
    this.#learn.disabled = false;
    (this.#learn.hidden ? this.#stop : this.#learn).focus();
  }

  async #end() {
    try {
      await post(`/api/lab/runs/${this.#run}/commands`, { do: "stop" });
    } catch (error) {
      complain(this.#trouble, error);
    }
  }

  /**
   * Shows how a lesson goes, until it has ended; and what came of it.
   *
   * @param {string} run
   */
  async #show(run) {
    this.#run = run;
    try {
      /** @type {RunSummary} */
      const lesson = await get(`/api/lab/runs/${run}`);
      const live = isLive(lesson.state);
      this.#offer(live);
      if (live) this.#follow(run);
      else this.#ended(lesson);
    } catch (error) {
      const removed = error instanceof ApiError && error.status === 404;
      if (removed) state.set("lesson", null);
      else complain(this.#trouble, error);
    }
  }

  /** @param {string} run */
  #follow(run) {
    const leave = follow(run, new Story(), (type, { state: how, phase, step, steps, left }) => {
      if (type === "now") {
        this.#progress.value = steps && step / steps;
        this.#left.textContent = phase === "learning" && left ? say.left(left) : say.measuring;
      } else if (type === "state" && !isLive(how)) {
        leave();
        this.#show(run);
      }
    });
  }

  /** @param {RunSummary} lesson */
  #ended({ id, name, before, after, message, has_model: learned }) {
    if (!learned || !before || !after) {
      put(this.#result, made("p", message ?? say.learnEnded));
      return;
    }
    put(this.#result, tableOf(before, after), made("p.note", say.interval));
    if (state.get("lesson", { chosen: true }).chosen) return; // since then another may have been
    state.set("lesson", { run: id, chosen: true });
    state.tell("models");
    state.set("model", id);
    this.#result.prepend(made("p", say.learned(name)));
    speak(say.learned(name));
  }
}

/** @param {Scores} before @param {Scores} after */
function tableOf(before, after) {
  const head = (/** @type {string} */ name, scope = "col") => made("th", { scope }, name);
  const cell = (/** @type {Score | null} */ score) =>
    score &&
    made("td", words.share(score.accuracy, 2), made("p.note", say.range(score.interval)));
  const row = (/** @type {string} */ name, /** @type {"mnist" | "own"} */ exam) =>
    after[exam] && made("tr", head(name, "row"), cell(before[exam]), cell(after[exam]));
  return made(
    "table.figures",
    made("caption", say.lesson),
    made("thead", made("tr", say.columns.map((name) => head(name)))),
    made("tbody", row(say.ofMnist, "mnist"), row(say.ofOwn, "own")),
  );
}

customElements.define("ink-lesson", InkLesson);
