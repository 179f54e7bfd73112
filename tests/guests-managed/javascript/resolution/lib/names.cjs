Object.defineProperty(exports, '__esModule', { value: true });
exports.names = 'found by name';
var inner = require('./renamed.cjs');
Object.keys(inner).forEach(function (key) { exports[key] = inner[key]; });
