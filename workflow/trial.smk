"""One small job that tells where it ran and what it saw; `iota2 doctor --profile` starts it."""


rule trial:
    input:
        token="token.txt",
    output:
        seen="seen.txt",
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "{{ hostname; cat {input.token}; }} > {output.seen}"
