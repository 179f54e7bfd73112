import fs from 'node:fs';
import path from 'node:path';

const code = (act) => { try { return act(); } catch (error) { return [error.code, error.message]; } };

// Where relative names begin.
const loaded = JSON.parse(fs.readFileSync('./lib/data.json', 'utf8')).from;
export const folder = async () => {
  const first = [process.cwd(), path.resolve('lib'), loaded, fs.existsSync('../task/lib'), fs.realpathSync('lib/../lib'), fs.readdirSync('lib')];
  const refused = [() => fs.writeFileSync('made', 'x'), () => fs.readFileSync('none'), () => fs.accessSync('lib', fs.constants.W_OK), () => process.chdir('none'), () => process.chdir('index.mjs'), () => process.chdir('')].map(code);
  fs.mkdirSync('/tmp/made/deep', { recursive: true });
  process.chdir('/tmp/made/');
  process.chdir('deep');
  fs.writeFileSync('../file', 'written');
  fs.renameSync('../file', 'moved');
  const handle = await fs.promises.open('./moved');
  const text = await handle.readFile('utf8');
  await handle.close();
  return { first, refused, then: [process.cwd(), path.resolve('..'), fs.readdirSync('.'), text, fs.readFileSync('/var/task/../task/lib/data.json', 'utf8').length, fs.statSync('.').isDirectory()] };
};

export const network = async () => fetch('http://example.com/a');
