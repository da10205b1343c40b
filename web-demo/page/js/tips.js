// installTips shows the data-tip text of whatever is pointed at or focused in
// one tooltip element.

export function installTips(tip, root = document) {
  let owner = null;
  const hide = () => {
    owner?.removeAttribute("aria-describedby");
    owner = null;
    tip.hidden = true;
  };
  const show = (target) => {
    const el = target.closest?.("[data-tip]");
    if (el === owner) return;
    hide();
    if (!el) return;
    owner = el;
    el.setAttribute("aria-describedby", tip.id);
    tip.textContent = el.dataset.tip;
    tip.hidden = false;
    place(tip, el.getBoundingClientRect());
  };
  let pointer = "";
  root.addEventListener("pointerover", (e) => {
    const here = `${e.clientX} ${e.clientY}`;
    if (here === pointer) return; // the page moved under it
    pointer = here;
    show(e.target);
  });
  root.addEventListener("focusin", (e) => show(e.target));
  root.addEventListener("focusout", hide);
  root.addEventListener("keydown", (e) => e.key === "Escape" && hide());
  // A focused word scrolls into view: its tip goes along, unless the word is gone from sight.
  const follow = () => {
    if (!owner) return;
    const at = owner.getBoundingClientRect();
    const inSight = owner.contains(document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2));
    if (owner === document.activeElement && inSight) place(tip, at);
    else hide();
  };
  window.addEventListener("scroll", follow, { capture: true, passive: true });
}

function place(tip, at) {
  const { width, height } = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth - width - 8;
  const left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, room));
  const above = at.top - height - 8;
  tip.style.left = `${Math.round(left)}px`;
  tip.style.top = `${Math.round(above < 4 ? at.bottom + 8 : above)}px`;
}
