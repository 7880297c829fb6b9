// Making elements. Text comes from strangers: it only ever becomes text nodes and attributes.

const SVG = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/**
 * An HTML element. Attributes that begin with "on" are listeners; `true` is an empty attribute,
 * `false`, `null` and `undefined` none.
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function shape(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A name, with places where a line may break: behind its dots and slashes, not in a word. */
export function breakable(text) {
  const parts = text.split(/(?<=[./:])/);
  return parts.flatMap((part, index) => (index ? [element("wbr"), part] : [part]));
}

/** A name that no other element has, for labels and descriptions. */
export function freshId(stem) {
  freshId.count = (freshId.count ?? 0) + 1;
  return `${stem}-${freshId.count}`;
}
