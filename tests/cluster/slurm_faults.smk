"""One job for each fault, and one that merges what it wrote: it must never see half a file."""


include: "../../rules/snakemake_inside.smk"
include: "../../rules/cluster.smk"


rule all:
    input:
        expand("{fault}.merged", fault=["exits", "killed", "late", "deleted", "greedy"]),


rule merge:
    input:
        "{fault}.txt",
    output:
        "{fault}.merged",
    resources:
        mem_mb=500,
    shell:
        "cp {input} {output}"


rule exits:
    output:
        "exits.txt",
    shell:
        "echo half > {output}; exit 3"


# The whole process group, with the Snakemake inside the job.
rule killed:
    output:
        "killed.txt",
    shell:
        "echo half > {output}; kill -KILL 0"


rule late:
    output:
        "late.txt",
    resources:
        runtime=1,
    shell:
        "echo half > {output}; sleep 300; echo whole >> {output}"


rule deleted:
    output:
        "deleted.txt",
    shell:
        "echo half > {output}; sleep 300; echo whole >> {output}"


# Too little memory for ever.
rule greedy:
    output:
        "greedy.txt",
    resources:
        mem_mb=500,
    shell:
        "echo half > {output}; python3 -c 'b = bytearray(800 << 20); import time; time.sleep(60)'"
        " && echo whole >> {output}"


# Enough memory at the second attempt.
rule hungry:
    output:
        "hungry.txt",
    resources:
        mem_mb=lambda wildcards, attempt: 500 if attempt == 1 else 3000,
    shell:
        "echo half > {output}; python3 -c 'b = bytearray(800 << 20); import time; time.sleep(4)'"
        " && echo whole >> {output}"


# Runs while the scheduler's daemon is stopped and started again.
rule survives:
    output:
        "survives.txt",
    shell:
        "echo half > {output}; sleep 15; echo whole >> {output}"


# On this machine, until the test lets it end: the next job is submitted then.
localrules:
    here,


rule here:
    output:
        "here.txt",
    shell:
        "touch begun; until [ -e end ]; do sleep 0.2; done; touch {output}"


rule there:
    input:
        "here.txt",
    output:
        "there.txt",
    shell:
        "echo whole > {output}"


# One job that takes a while, for what happens to Snakemake itself.
rule alone:
    output:
        "alone.txt",
    shell:
        "echo $SLURM_JOB_ID >> writers.txt; sleep 20; echo whole > {output}"
