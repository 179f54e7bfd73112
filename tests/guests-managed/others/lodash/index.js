const _ = require("lodash");

exports.handler = async (event) => ({
  grouped: _.groupBy(event.words, "length"),
  picked: _.get(event, "deep[0].value", "none"),
  merged: _.merge({}, ...event.parts),
  text: _.template("Hello, <%= name %>!")({ name: event.name }),
});
