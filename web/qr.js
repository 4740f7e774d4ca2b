/** A QR code as SVG. */
import { qrcode } from "./vendor/qrcode.js";

const SVG = "http://www.w3.org/2000/svg";
/** The quiet zone that scanners need, in modules. */
const MARGIN = 4;

export function qrCode(/** @type {string} */ text, /** @type {string} */ label) {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = "";
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++)
      if (code.isDark(row, column)) path += `M${column + MARGIN} ${row + MARGIN}h1v1h-1z`;
  }
  const image = document.createElementNS(SVG, "svg");
  image.setAttribute("viewBox", `0 0 ${count + 2 * MARGIN} ${count + 2 * MARGIN}`);
  image.setAttribute("role", "img");
  image.setAttribute("aria-label", label);
  const dots = document.createElementNS(SVG, "path");
  dots.setAttribute("d", path);
  image.append(dots);
  return image;
}
