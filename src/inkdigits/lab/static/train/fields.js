/* The numbers and choices of a new run, those that are seldom needed put away. */

import { field } from "../dom.js";
import { choice, number } from "./inputs.js";
import { train as say } from "../words.js";

/** @type {SettingsFields} */
export function settingsFields(settings, options, recipe, edit, editNetwork) {
  /** @type {(name: Field, control: HTMLElement) => HTMLElement} */
  const named = (name, control) => field(say[name], control);

  /** @type {(name: NumberField, properties: Record<string, unknown>) => HTMLInputElement} */
  const given = (name, properties) =>
    number(settings[name], (value) => edit({ [name]: value }), properties);

  /** @type {(name: NetworkField, values: string[]) => HTMLElement | false} */
  const ofNetwork = (name, values) => {
    const value = settings.network?.[name] ?? values[0];
    return (
      !recipe &&
      named(name, choice(values, value, (chosen) => editNetwork({ [name]: chosen })))
    );
  };

  /** @type {(name: RecipeField, values: string[]) => HTMLElement} */
  const ofRecipe = (name, values) => {
    const told = (/** @type {string} */ value) => edit({ [name]: value || null });
    const called = (/** @type {string} */ value) => say.value(value) || say.usual(!!recipe);
    return named(name, choice(["", ...values], settings[name] ?? "", told, called));
  };

  const rate = given("rate", {
    min: 0.000001,
    max: 10,
    step: "any",
    placeholder: recipe?.rate ?? say.usual(false),
  });
  // Each optimizer has a rate of its own that is usual.
  const optimizer = ofNetwork("optimizer", options.optimizers);
  if (optimizer) {
    optimizer.addEventListener("change", () => {
      rate.value = "";
      edit({ rate: null });
    });
  }
  const wrong = number(
    Number((100 * settings.wrong_labels).toFixed(4)),
    (value) => edit({ wrong_labels: (value ?? 0) / 100 }),
    { min: 0, max: 90, step: "any" },
  );
  const usual = [
    ofNetwork("activation", options.activations),
    optimizer,
    named("epochs", given("epochs", { min: 1, max: 200 })),
    named("rate", rate),
    named("batch", given("batch", { min: 1, max: 1024, placeholder: recipe?.batch ?? 128 })),
    ofRecipe("augmentation", options.augmentations),
    ofNetwork("loss", options.losses),
  ];
  const others = [
    ofRecipe("schedule", options.schedules),
    named("images", given("images", { min: 100, max: 50000 })),
    named("wrongLabels", wrong),
    named("seed", given("seed", { min: 0 })),
  ];
  return { usual, others };
}
