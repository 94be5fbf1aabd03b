#!/usr/bin/env python3
"""One step of EZKL in a process of its own, so that its time and memory can be measured from outside.

usage: ezkl-step.py settings|compile|srs|setup|witness|prove|verify|contract ONNX INPUT FOLDER

Inputs and outputs are public, parameters fixed. Everything is kept in FOLDER. Run by scripts/compare-ezkl.
"""

import asyncio
import inspect
import json
import pathlib
import sys

import ezkl


def finished(function, *args, **settings):
    """The result of an EZKL function, which may be one to wait for; it has to be called within a running loop."""

    async def call():
        result = function(*args, **settings)
        return await result if inspect.isawaitable(result) else result

    return asyncio.run(call())


def main():
    step, model, sample, folder = sys.argv[1:]
    at = lambda name: str(pathlib.Path(folder) / name)
    settings, circuit, srs = at("settings.json"), at("circuit.bin"), at("srs.bin")
    proving, verifying, witness, proof = at("proving.key"), at("verifying.key"), at("witness.json"), at("proof.json")
    if step == "settings":
        wanted = ezkl.PyRunArgs()
        wanted.input_visibility, wanted.param_visibility, wanted.output_visibility = "public", "fixed", "public"
        finished(ezkl.gen_settings, model, settings, py_run_args=wanted)
        finished(ezkl.calibrate_settings, sample, model, settings, "resources")
    elif step == "compile":
        finished(ezkl.compile_circuit, model, circuit, settings)
    elif step == "srs":
        # A set-up that nobody may trust, as good as any to measure with.
        finished(ezkl.gen_srs, srs, json.loads(pathlib.Path(settings).read_text())["run_args"]["logrows"])
    elif step == "setup":
        finished(ezkl.setup, circuit, verifying, proving, srs_path=srs)
    elif step == "witness":
        finished(ezkl.gen_witness, sample, circuit, witness)
    elif step == "prove":
        finished(ezkl.prove, witness, circuit, proving, proof, srs_path=srs)
    elif step == "verify":
        if not finished(ezkl.verify, proof, settings, verifying, srs_path=srs):
            raise SystemExit("ezkl-step: the proof does not verify")
    elif step == "contract":
        try:
            finished(ezkl.create_evm_verifier, verifying, settings, at("verifier.sol"), at("verifier.abi"), srs_path=srs)
        except RuntimeError:
            # It wants a compiler for the ABI, which nobody needs; by then the source is written.
            if not pathlib.Path(at("verifier.sol")).is_file():
                raise
        finished(ezkl.encode_evm_calldata, proof, at("calldata.bin"))
    else:
        raise SystemExit(f"ezkl-step: no step is named {step}")


main()
