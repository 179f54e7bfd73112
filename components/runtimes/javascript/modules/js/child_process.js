// node:child_process: importable; an instance has no other processes.
const { classes, failing } = require('internal/absent');

module.exports = {
  ...classes('child_process', ['ChildProcess']),
  ...failing('child_process', ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync']),
};
