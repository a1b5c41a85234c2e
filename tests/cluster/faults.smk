"""Jobs that misbehave on request: `--config parts=ok+exit`.

Each part holds a line a step, its scheduler's job id: a second writer would show in it.
"""

PARTS = config.get("parts", "ok").split("+")
STEPS = int(config.get("steps", 6))
# Half-way through.
MISBEHAVIOUR = {
    "ok": ":",
    "exit": "exit 3",
    "kill": "kill -KILL 0",
    "slow": "sleep 600",
    "deleted": "sleep 600",
}


rule merge:
    input:
        parts=expand("parts/{part}.txt", part=PARTS),
    output:
        merged="merged.txt",
    resources:
        mem_mb=3000,
        runtime=1,
    shell:
        "cat {input.parts} > {output.merged}"


rule write_part:
    output:
        part="parts/{part}.txt",
    resources:
        mem_mb=3000,
        runtime=1,
    params:
        misbehaviour=lambda wildcards: MISBEHAVIOUR.get(wildcards.part, ":"),
        steps=STEPS,
    shell:
        """
        for step in $(seq {params.steps}); do
            echo "${{SLURM_JOB_ID:-${{PBS_JOBID:-$JOB_ID}}}}" >>{output.part}
            sleep 0.5
            [ "$step" -ne $(({params.steps} / 2)) ] || {params.misbehaviour}
        done
        """


# Fits at its second attempt only, which the profile gives. What it takes is not touched: no memory of this machine.
rule take_memory:
    output:
        part="parts/memory.txt",
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=1,
    shell:
        """
        python3 -c 'print(len(bytearray(4_000_000_000)))' >{output.part}
        """


ruleorder: take_memory > write_part
