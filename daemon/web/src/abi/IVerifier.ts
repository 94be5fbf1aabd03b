// Made by build.mjs from contracts/artifacts. Do not edit.

export const IVerifier = [
  {"inputs":[],"name":"modelId","outputs":[{"name":"","type":"bytes32"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"proof","type":"bytes"},{"name":"instances","type":"uint256[]"}],"name":"verifyProof","outputs":[{"name":"","type":"bool"}],"stateMutability":"view","type":"function"},
] as const;
