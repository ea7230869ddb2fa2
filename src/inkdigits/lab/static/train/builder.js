/* The layers of a network of one's own, as a short list to add to, change and put in order. */

import { button, field, made, put } from "../dom.js";
import { choice, number, tick } from "./inputs.js";
import { train as say } from "../words.js";

const MOST_LAYERS = 8;

/** The list of layers: `show` takes them, `edited` is told the new ones. */
export class InkLayers extends HTMLElement {
  /** @type {LayerSettings[]} */
  #layers = [];
  #list = made("ol.layers");
  #add = button(say.add, () => this.#grow());
  /** @type {(layers: LayerSettings[]) => void} */
  edited = () => {};

  constructor() {
    super();
    this.append(made("h3", say.layers), this.#list, this.#add);
  }

  /** @param {LayerSettings[]} layers */
  show(layers) {
    this.#layers = layers;
    const rows = layers.map((layer, n) => made("li", this.#row(layer, n)));
    put(this.#list, rows);
    this.#add.disabled = layers.length >= MOST_LAYERS;
  }

  /** @param {LayerSettings} layer @param {number} n */
  #row(layer, n) {
    const set = (/** @type {Partial<LayerSettings>} */ part) => {
      this.#layers = this.#layers.map((own, m) => (m === n ? { ...own, ...part } : own));
      this.edited(this.#layers);
    };
    const kind = choice(
      Object.keys(say.kinds),
      layer.kind,
      (chosen) => {
        const layers = [...this.#layers];
        layers[n] =
          chosen === "dense"
            ? { kind: "dense", units: layers[n].units }
            : { kind: "convolution", units: layers[n].units, kernel: 5, pool: true };
        this.#change(layers, n, "select");
      },
      (own) => say.kinds[own],
    );
    const units = number(layer.units, (value) => set({ units: value ?? 0 }), { min: 1, max: 512 });
    const kernel = number(layer.kernel ?? 5, (value) => set({ kernel: value ?? 0 }), {
      min: 1,
      max: 7,
    });
    const pool = tick(say.pool, (checked) => set({ pool: checked }));
    pool.box.checked = layer.pool ?? false;
    const convolution = layer.kind === "convolution";
    const label = say.layer(n + 1);
    /** @type {(named: Named, sign: string, act: () => void, disabled?: boolean) => HTMLElement} */
    const tool = ([name, help], sign, act, disabled) =>
      button([sign, help], act, { "aria-label": `${name}: ${label}`, className: "tool", disabled });
    return made(
      "div",
      { "aria-label": label, role: "group" },
      field(say.kind, kind),
      field(say.units, units),
      convolution && field(say.kernel, kernel),
      made(
        "div.tools",
        convolution && pool.label,
        tool(say.up, "↑", () => this.#move(n, -1), n === 0),
        tool(say.down, "↓", () => this.#move(n, 1), n === this.#layers.length - 1),
        tool(say.takeAway, "×", () => this.#remove(n)),
      ),
    );
  }

  /**
   * Takes other layers, and puts the focus into the row that they are about.
   *
   * @param {LayerSettings[]} layers
   * @param {number} n
   * @param {string} focused what of that row has the focus
   */
  #change(layers, n, focused) {
    this.show(layers);
    this.edited(layers);
    const element = this.#list.children[n]?.querySelector(focused);
    (element instanceof HTMLElement ? element : this.#add).focus();
  }

  #grow() {
    this.#change([...this.#layers, { kind: "dense", units: 100 }], this.#layers.length, "select");
  }

  /** @param {number} n @param {1 | -1} by */
  #move(n, by) {
    const layers = [...this.#layers];
    const to = n + by;
    [layers[n], layers[to]] = [layers[to], layers[n]];
    // At the end of its way a layer can only go back.
    const [first, last] = [to === 0, to === layers.length - 1];
    const up = by === -1 ? !first : last;
    this.#change(layers, to, `.tool:nth-last-child(${up ? 3 : 2})`);
  }

  /** @param {number} n */
  #remove(n) {
    const layers = this.#layers.filter((_, m) => m !== n);
    this.#change(layers, Math.min(n, layers.length - 1), ".tool:last-child");
  }
}

customElements.define("ink-layers", InkLayers);
