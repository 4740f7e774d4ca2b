/** What EdgeChat uses of qrcode-generator 2.0.4. */
export const qrcode: (type: 0, correction: "L" | "M" | "Q" | "H") => {
  addData(text: string): void;
  make(): void;
  getModuleCount(): number;
  isDark(row: number, column: number): boolean;
};
