// A demo that a test talks to: the daemon with its local chain, started on free ports and ended with the test run.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, daemon } from './places.mjs';
import { PATIENCE, until } from './wait.mjs';

/** Lines of a program's output that a failed test shows. */
const LINES = 40;

/** All that run, so that none outlives the run. */
const running = new Set();

/** A program with its output. */
class Program {
  constructor(args, env) {
    this.lines = [];
    this.child = spawn(daemon(), args, {
      cwd: ROOT,
      env: { ...process.env, RUST_BACKTRACE: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: its local chain ends with it.
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        this.lines.push(...lines);
        if (this.lines.length > 5000) this.lines.splice(0, 1000);
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.lines.push(String(error));
        resolve(-1);
      });
      this.child.on('exit', (code, signal) => resolve(code ?? signal));
    });
    this.ended.then((how) => (this.how = how));
    running.add(this);
  }

  tail() {
    return this.lines.slice(-LINES).join('\n');
  }

  /** The first match in a line of its output. */
  async says(pattern) {
    return until(`a line ${pattern} of the daemon`, () => {
      for (const line of this.lines) {
        const found = line.match(pattern);
        if (found) return found;
      }
      if (this.how !== undefined) throw new Error(`it ended with ${this.how}:\n${this.tail()}`);
    }).catch((error) => {
      throw new Error(`${error.message}\n${this.tail()}`, { cause: error.cause });
    });
  }

  signal(name) {
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // It is gone already.
    }
  }

  async stop() {
    running.delete(this);
    if (this.how !== undefined) return;
    this.signal('SIGTERM');
    const patience = setTimeout(() => this.signal('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(patience);
    this.signal('SIGKILL');
  }
}

process.on('exit', () => {
  for (const program of running) program.signal('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** A demo with everything: boards, markets, a guarded vault and the operator's console. */
export class Stage {
  /** Starts `zugzwang demo-web` in a folder of its own. */
  static async start(args = []) {
    const stage = new Stage();
    stage.dir = mkdtempSync(join(tmpdir(), 'zugzwang-web-'));
    stage.args = args;
    await stage.begin();
    return stage;
  }

  async begin() {
    this.program = new Program(['demo-web', '--dir', join(this.dir, 'demo'), ...this.args]);
    const [, address] = await this.program.says(/(http:\/\/127\.0\.0\.1:\d+)/);
    this.url = address;
    await until('the demo', async () => (await fetch(`${this.url}/readyz`)).ok);
  }

  /** What `GET path` gives, as JSON. */
  async get(path, headers = {}) {
    const response = await fetch(`${this.url}${path}`, { headers, signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** The operator's token, from the file that the daemon leaves beside its store. */
  token() {
    const files = readdirSync(join(this.dir, 'demo'), { recursive: true, encoding: 'utf8' });
    const file = files.find((name) => name.endsWith('.http'));
    if (!file) throw new Error(`no file with a token among ${files.join(', ')}`);
    return JSON.parse(readFileSync(join(this.dir, 'demo', file), 'utf8')).token;
  }

  /** `/api/v1/operator` + path, as JSON. */
  operator(path) {
    return this.get(`/api/v1/operator${path}`, { authorization: `Bearer ${this.token()}` });
  }

  tail() {
    return this.program.tail();
  }

  async stop() {
    await this.program.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** @type {Promise<Stage> | undefined} */
let shared;

/** The one demo that most scenarios share. It is started by the first that asks for it. */
export function sharedStage() {
  shared ??= Stage.start();
  return shared;
}

/** Ends the shared demo and whatever else runs. */
export async function closeStages() {
  const stage = await shared?.catch(() => undefined);
  await stage?.stop();
  await Promise.all([...running].map((program) => program.stop()));
}
