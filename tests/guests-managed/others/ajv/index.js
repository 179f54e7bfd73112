const Ajv = require("ajv");
const addFormats = require("ajv-formats");

const ajv = new Ajv({ allErrors: true });
addFormats(ajv);
const validate = ajv.compile({
  type: "object",
  properties: { mail: { type: "string", format: "email" }, age: { type: "integer", minimum: 0 } },
  required: ["mail"],
  additionalProperties: false,
});

exports.handler = async (event) => ({
  valid: validate(event),
  errors: (validate.errors ?? []).map(({ instancePath, keyword }) => [instancePath, keyword]),
});
