// The colours of the heat map: one hue, from the background's brightness away. They differ in
// brightness first, so that they can be told apart in greys and by the colour-blind.

const LIGHT = [[222, 235, 247], [158, 202, 225], [74, 152, 201], [23, 100, 171], [8, 40, 94]];
const DARK = [[28, 52, 84], [33, 96, 148], [52, 152, 190], [134, 208, 196], [246, 248, 196]];

/** Whether the page is shown in dark colours now. */
function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The colour of a place on the scale, 0 to 1. */
export function heat(place) {
  const stops = isDark() ? DARK : LIGHT;
  const where = Math.min(Math.max(place, 0), 1) * (stops.length - 1);
  const below = Math.min(Math.floor(where), stops.length - 2);
  const mixed = stops[below].map((low, channel) => {
    const high = stops[below + 1][channel];
    return Math.round(low + (high - low) * (where - below));
  });
  return `rgb(${mixed.join(" ")})`;
}

/** Where a share stands on the scale: its root, so that rare packets are seen, too. */
export const placeOf = (share, most) => Math.sqrt(share / (most || 1));

/** The share at a place of the scale. */
export const shareAt = (place, most) => place * place * most;
