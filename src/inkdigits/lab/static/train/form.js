/* The settings of a new network, what it will cost, and the button that starts it. */

import { post } from "../api.js";
import { InkLayers } from "./builder.js";
import { button, field, freshId, made, put, speak } from "../dom.js";
import { complain } from "../elements.js";
import { settingsFields } from "./fields.js";
import { choice } from "./inputs.js";
import { tabulate } from "../update.js";
import { train as say } from "../words.js";

const SOON = 300; // milliseconds after an edit the estimate is asked for
const OWN = ""; // in the place of a recipe: a network of one's own

/** The form; `edited` and `start` are told the settings. */
export class InkForm extends HTMLElement {
  #known;
  #recipe;
  /** @type {RunSettings} */
  #settings;
  #timer = 0;
  #asking = new AbortController();

  #purpose = made("p.note");
  #estimate = made("p.estimate", { role: "status" });
  #reason = made("p.note", { id: freshId(), hidden: true });
  complaint = made("div");
  #filled = made("p.note", { hidden: true }, say.filled);
  #start = button(say.start, () => this.#press(), { className: "primary" });
  #layers = new InkLayers();
  #usual = made("div.fields");
  #others = made("div.fields");
  #table = made("table");
  #shapes = made(
    "details.shapes",
    { hidden: true, open: true },
    made("summary", say.layersTable),
    this.#table,
  );

  /** @type {(settings: RunSettings) => void} */
  edited = () => {};
  /** @type {(settings: RunSettings) => void} */
  start = () => {};

  /** @param {TrainingOptions} known @param {RunSettings | null} kept */
  constructor(known, kept) {
    super();
    this.#known = known;
    this.#settings = { ...known.default, ...kept };
    const recipes = [OWN, ...known.recipes.map(({ name }) => name)];
    const take = (/** @type {string} */ name) => this.#take(name);
    this.#recipe = choice(recipes, OWN, take, (name) => name || say.own);
    this.#layers.edited = (layers) => this.#editNetwork({ layers });
    this.append(
      made("h2", say.form),
      field(say.recipe, this.#recipe),
      this.#purpose,
      made("div.tools", this.#start, this.#estimate),
      this.#reason,
      this.complaint,
      this.#filled,
      this.#layers,
      this.#usual,
      made("details", made("summary", say.more), this.#others),
      this.#shapes,
    );
    this.#show(this.#settings);
    this.#ask();
  }

  /**
   * Chooses a recipe, with its own settings.
   *
   * @param {string} name
   */
  #take(name) {
    const { epochs = this.#known.default.epochs } = this.#recipeOf(name) ?? {};
    const { images, wrong_labels, seed, network } = this.#settings;
    const kept = { images, wrong_labels, seed, network };
    const usual = { batch: null, rate: null, schedule: null, augmentation: null };
    const its = name ? { recipe: name, epochs, ...usual } : {};
    this.#show({ ...this.#known.default, ...its, ...kept });
    this.#edit({});
  }

  /** @param {string | null} named */
  #recipeOf(named) {
    return this.#known.recipes.find(({ name }) => name === named);
  }

  /**
   * Fills in settings for another run, and says so.
   *
   * @param {Partial<RunSettings>} part
   */
  fill(part) {
    this.#show({ ...this.#settings, ...part });
    this.#edit({});
    this.#filled.hidden = false;
    speak(say.filled);
    this.#start.focus();
  }

  /**
   * Says why nothing can be started now; null where it can.
   *
   * @param {string | null} name
   */
  busy(name) {
    const busy = name !== null;
    this.#reason.hidden = !busy;
    put(this.#reason, busy && say.startBusy(name));
    this.#start.setAttribute("aria-disabled", String(busy));
    this.#start.setAttribute("aria-describedby", busy ? this.#reason.id : "");
  }

  #press() {
    if (this.#start.getAttribute("aria-disabled") === "true") return;
    this.#filled.hidden = true;
    this.start(this.#sent);
    this.#settings.name = null; // the next one has another name
  }

  /** What is sent of the settings: a recipe brings its own network. */
  get #sent() {
    return this.#settings.recipe ? { ...this.#settings, network: null } : this.#settings;
  }

  /** @param {Partial<RunSettings>} part */
  #edit(part) {
    this.#settings = { ...this.#settings, ...part };
    this.edited(this.#settings);
    this.#filled.hidden = true;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#ask(), SOON);
  }

  /** @param {Partial<NetworkSettings>} part */
  #editNetwork(part) {
    const { network } = this.#settings;
    if (network) this.#edit({ network: { ...network, ...part } });
  }

  /** Asks what these settings cost, or why they do not go together. */
  async #ask() {
    this.#asking.abort();
    const { signal } = (this.#asking = new AbortController());
    try {
      const found = /** @type {Estimate} */ (
        await post("/api/lab/estimate", this.#sent, { signal })
      );
      complain(this.complaint, null);
      put(this.#estimate, say.estimate(found.parameters, found.seconds));
      tabulate(this.#table, say.shapes, found.layers.map(say.layerRow));
      this.#shapes.hidden = false;
    } catch (error) {
      if (signal.aborted) return;
      put(this.#estimate);
      complain(this.complaint, error);
      this.#shapes.hidden = true;
    }
  }

  /** @param {RunSettings} settings */
  #show(settings) {
    const network = settings.network ?? this.#known.default.network;
    this.#settings = { ...settings, network };
    const recipe = this.#recipeOf(settings.recipe);
    this.#recipe.value = recipe?.name ?? OWN;
    put(this.#purpose, recipe ? say.purpose(recipe) : say.ownPurpose);
    this.#layers.hidden = Boolean(recipe);
    this.#layers.show(network?.layers ?? []);
    const { usual, others } = settingsFields(
      this.#settings,
      this.#known.options,
      recipe,
      (part) => this.#edit(part),
      (part) => this.#editNetwork(part),
    );
    put(this.#usual, ...usual);
    put(this.#others, others);
  }
}

customElements.define("ink-form", InkForm);
