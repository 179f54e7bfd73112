// node:readline: lines of a stream; terminals do not exist here.
const EventEmitter = require('events');
const { StringDecoder } = require('string_decoder');

class Interface extends EventEmitter {
  #rest = '';
  #questions = [];
  constructor(input, output = undefined) {
    super();
    const options = input?.input ? input : { input, output };
    Object.assign(this, { input: options.input, output: options.output, terminal: false, line: '', closed: false });
    const decoder = new StringDecoder('utf8');
    this.input?.on('data', (chunk) => this.#take(typeof chunk === 'string' ? chunk : decoder.write(chunk)));
    this.input?.on('end', () => {
      this.#take(decoder.end());
      if (this.#rest !== '') this.#line(this.#rest.replace(/\r$/, ''));
      this.#rest = '';
      this.close();
    });
    this.input?.on('error', (error) => this.emit('error', error));
  }
  #take(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }
  #line(line) {
    const question = this.#questions.shift();
    if (question) question(line);
    else this.emit('line', line);
  }
  question(query, options, callback = options) {
    this.output?.write(query);
    this.#questions.push(callback);
  }
  setPrompt(prompt) { this.prompt_ = prompt; }
  prompt() { this.output?.write(this.prompt_ ?? '> '); }
  pause() {
    this.input?.pause();
    this.emit('pause');
    return this;
  }
  resume() {
    this.input?.resume();
    this.emit('resume');
    return this;
  }
  write(text) { this.output?.write(text); }
  close() {
    if (this.closed) return;
    this.closed = true;
    this.emit('close');
  }
  async* [Symbol.asyncIterator]() {
    const lines = [];
    let wake = () => {};
    let failure;
    this.on('line', (line) => { lines.push(line); wake(); });
    this.on('close', () => wake());
    this.on('error', (error) => { failure = error; wake(); });
    for (;;) {
      if (lines.length > 0) yield lines.shift();
      else if (failure) throw failure;
      else if (this.closed) return;
      else await new Promise((resolve) => { wake = resolve; });
    }
  }
}

const nothing = (...args) => {
  args.findLast((arg) => typeof arg === 'function')?.();
  return true;
};
module.exports = {
  Interface,
  createInterface: (input, output) => new Interface(input, output),
  clearLine: nothing,
  clearScreenDown: nothing,
  cursorTo: nothing,
  moveCursor: nothing,
  emitKeypressEvents() {},
};
Object.defineProperty(module.exports, 'promises', { enumerable: true, configurable: true, get: () => require('readline/promises') });
