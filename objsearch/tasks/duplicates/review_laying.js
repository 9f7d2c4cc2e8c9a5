"use strict";
// How the other picture is laid over the kept one: numbers for a browser, from the plan's transform.
const Laying = (() => {
  function product(a, b) {
    const made = [];
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) {
        let sum = 0;
        for (let k = 0; k < 3; k++) sum += a[row * 3 + k] * b[k * 3 + column];
        made.push(sum);
      }
    }
    return made;
  }

  const scaling = (x, y) => [x, 0, 0, 0, y, 0, 0, 0, 1];
  const shift = (x, y) => [1, 0, x, 0, 1, y, 0, 0, 1];

  // A homography in the plane as CSS writes it, column by column, with depth left out.
  function css(matrix) {
    const [a, b, c, d, e, f, g, h, i] = matrix.map((number) => number / matrix[8]);
    return `matrix3d(${[a, d, 0, g, b, e, 0, h, 0, 0, 1, 0, c, f, 0, i].join(",")})`;
  }

  // The stage's height at a width, and how both pictures stand on it, given the pixels of their
  // copies at hand. Sizes are [width, height].
  function placed(overlay, keep, member, width, mostHeight) {
    const [x1, y1, x2, y2] = overlay.stage;
    const scale = Math.min(width / (x2 - x1), mostHeight / (y2 - y1));
    const onto = product(scaling(scale, scale), shift(-x1, -y1));
    const fromCopy = (sides) =>
      scaling(sides.size[0] / sides.copy[0], sides.size[1] / sides.copy[1]);
    return {
      width: (x2 - x1) * scale,
      height: (y2 - y1) * scale,
      keep: css(product(onto, fromCopy(keep))),
      member: css(product(product(onto, overlay.matrix), fromCopy(member))),
      viewBox: [x1, y1, x2 - x1, y2 - y1].join(" "),
    };
  }

  return { placed };
})();
