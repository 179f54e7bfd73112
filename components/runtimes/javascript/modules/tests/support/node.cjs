// Runs a table of cases under Node: node node.cjs show.js cases.js
const fs = require('fs');
const { createRequire } = require('module');

const [, , showFile, casesFile] = process.argv;
const load = createRequire(casesFile);
const module_ = { exports: {} };
new Function('module', 'require', fs.readFileSync(casesFile, 'utf8'))(module_, load);
const run = new Function('require', 'cases', fs.readFileSync(showFile, 'utf8'));
run(load, module_.exports).then((text) => process.stdout.write(text, () => process.exit(0)));
