// Where canvas pixels are on the page. Pure.

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/**
 * The place that `object-fit: contain` gives a picture in a box.
 * @param {{width: number, height: number}} box
 * @param {{width: number, height: number}} picture
 * @returns {Rect & {scale: number}}
 */
export function contain(box, picture) {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: (box.width - width) / 2, y: (box.height - height) / 2, width, height, scale };
}

/**
 * A canvas rectangle in the box's pixels.
 * @param {Rect} rect
 * @param {{width: number, height: number}} box
 * @param {{width: number, height: number}} canvas
 * @param {number} inset canvas pixels left free on every side
 * @returns {Rect}
 */
export function placeIn(rect, box, canvas, inset = 0) {
  const { x, y, scale } = contain(box, canvas);
  return {
    x: x + (rect.x + inset) * scale,
    y: y + (rect.y + inset) * scale,
    width: Math.max(0, rect.width - 2 * inset) * scale,
    height: Math.max(0, rect.height - 2 * inset) * scale,
  };
}
