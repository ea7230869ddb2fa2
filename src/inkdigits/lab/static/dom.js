/* Elements, made in one expression; and what is said aloud or explained of them. */

/**
 * An element with its classes (`made("p.note")`), properties, attributes and children.
 *
 * What the element has as a property is set as one (`onclick`, `value`, `hidden`), everything else
 * as an attribute (`aria-label`, `for`, `data-…`); null and undefined leave it away.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name | `${Name}.${string}`} named
 * @param {Record<string, unknown> | Child | Child[]} [first] properties, or a child
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function made(named, first, ...children) {
  const [name, ...classes] = named.split(".");
  const element = document.createElement(/** @type {Name} */ (name));
  if (classes.length) element.className = classes.join(" ");
  const plain = first?.constructor === Object;
  for (const [key, value] of Object.entries(plain ? first : {})) {
    if (value === null || value === undefined) continue;
    if (key in element && !key.includes("-")) Reflect.set(element, key, value);
    else element.setAttribute(key, String(value));
  }
  put(element, !plain && /** @type {Child} */ (first), ...children);
  return element;
}

/**
 * Replaces all that is in an element.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function put(element, ...children) {
  const kept = children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...kept.map((child) => (child instanceof Node ? child : String(child))));
}

let numbers = 0;

/** An id that no other element has. */
export const freshId = () => `i${++numbers}`;

/**
 * Gives an element its one sentence of explanation: shown in the strip at the foot of the page while
 * the element has the pointer or the focus, and told to screen readers.
 *
 * @template {HTMLElement} Kind
 * @param {Kind} element
 * @param {string} sentence
 * @returns {Kind}
 */
export function explained(element, sentence) {
  element.dataset.help = sentence;
  element.setAttribute("aria-description", sentence);
  return element;
}

/**
 * A labelled control, with its explanation.
 *
 * @param {Named} named
 * @param {HTMLElement} control
 * @param {HTMLElement} [beside] what stands at the right of the label, as a slider's value
 */
export function field([label, help], control, beside) {
  control.id ||= freshId();
  explained(control, help);
  const head = made("div.label", made("label", { for: control.id }, label), beside);
  return made("div.field", head, control);
}

/**
 * @param {Named} named
 * @param {() => void} act
 * @param {Record<string, unknown>} [properties]
 */
export function button([label, help], act, properties = {}) {
  return explained(made("button", { type: "button", onclick: act, ...properties }, label), help);
}

/** The strip that explains whatever has the pointer or the focus; Escape puts it away. */
export function helpStrip() {
  const strip = made("p.help-strip", { hidden: true, "aria-hidden": "true" });
  /** @param {EventTarget | null} target */
  const show = (target) => {
    const element = target instanceof Element ? target.closest("[data-help]") : null;
    const sentence = element instanceof HTMLElement ? element.dataset.help : "";
    strip.hidden = !sentence;
    strip.textContent = sentence ?? "";
  };
  document.addEventListener("pointerover", (event) => show(event.target));
  document.addEventListener("focusin", (event) => show(event.target));
  document.addEventListener("focusout", () => show(null));
  document.addEventListener("keydown", (event) => event.key === "Escape" && show(null));
  return strip;
}

/** @type {HTMLElement | null} */
let voice = null;

/** The live region through which `speak` is heard. */
export function liveRegion() {
  voice = made("div.aloud", { role: "status", "aria-live": "polite" });
  return voice;
}

/**
 * Says something to whoever listens to the page instead of looking at it.
 *
 * @param {string} words
 */
export function speak(words) {
  if (voice) voice.textContent = words;
}
