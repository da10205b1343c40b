// Banner holds at most one problem per topic and shows the latest; a topic is
// cleared when what it told about is over.

export class Banner {
  #ui;
  #topics = new Map();

  /** ui: {root, title, advice, action, dismiss} elements. */
  constructor(ui) {
    this.#ui = ui;
    ui.dismiss.addEventListener("click", () => {
      this.#topics.clear();
      this.#draw();
    });
    ui.action.addEventListener("click", () => [...this.#topics.values()].at(-1)?.action?.run());
  }

  /** show tells a problem: {title, advice, kind?: "note", action?: {label, run}}. */
  show(topic, problem) {
    this.#topics.delete(topic);
    this.#topics.set(topic, problem);
    this.#draw();
  }

  clear(topic) {
    if (this.#topics.delete(topic)) this.#draw();
  }

  #draw() {
    const problem = [...this.#topics.values()].at(-1);
    const { root, title, advice, action } = this.#ui;
    root.hidden = !problem;
    if (!problem) return;
    root.dataset.kind = problem.kind ?? "problem";
    title.textContent = problem.title;
    advice.textContent = problem.advice ?? "";
    action.hidden = !problem.action;
    action.textContent = problem.action?.label ?? "";
  }
}
