// Rules that tsc does not have (it knows every name, so no-undef is its work): what a reader would stumble over, and
// the ways to make HTML from a string.
const markup = (/** @type {string} */ property) => ({ property, message: "Text nodes only: never HTML from a string." });

export default [
  { ignores: ["web/vendor/**", "node_modules/**"] },
  {
    files: ["web/**/*.js", "tests/web/**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
      "eqeqeq": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-await-in-loop": "off", // pages of history are read one after the other on purpose
      "max-len": ["error", { code: 120 }],
      "max-lines": ["error", { max: 200, skipBlankLines: false, skipComments: false }],
      "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }],
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln", "createContextualFragment", "srcdoc"].map(markup),
      ],
    },
  },
  { files: ["tests/web/**/*.js"], rules: { "max-lines-per-function": "off" } },
];
