// Stands in for the solc binary: `--version`, otherwise standard JSON from stdin to stdout.
import { readFileSync, writeSync } from 'node:fs';
import solc from 'solc';

if (process.argv.includes('--version')) {
  const version = solc.version().replace('.Emscripten.clang', '.Linux.g++');
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`);
} else {
  let output = Buffer.from(solc.compile(readFileSync(0, 'utf8')));
  while (output.length > 0) {
    try {
      output = output.subarray(writeSync(1, output));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
