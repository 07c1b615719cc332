#!/bin/bash
# Every folder includes only the folders that its place in the structure allows
set -u
cd "$(dirname "$0")/../.." || exit 1
# folder: folders that it may include. rte_ stands for DPDK's own headers.
allowed() {
    case $1 in
    dataplane/contract) echo "contract" ;;
    dataplane/engine) echo "engine contract" ;;
    dataplane/io) echo "io contract rte_" ;;
    dataplane/cores) echo "cores engine io contract" ;;
    dataplane/client) echo "client contract" ;;
    dataplane) echo "dataplane cores io contract" ;;
    control) echo "control engine contract" ;;
    perf) echo "perf client engine contract io control rte_" ;;
    tests/eal) echo "tests cores engine io contract client control perf rte_ dataplane" ;;
    tests/*) echo "tests cores engine io contract client control perf dataplane" ;;
    esac
}
bad=0
while read -r file; do
    folder=$(dirname "$file")
    permitted=" $(allowed "$folder") "
    while IFS= read -r line; do
        include=$(sed -E 's/^[^"<]*["<]([^">]+)[">].*/\1/' <<<"$line")
        case $include in
        rte_*) target=rte_ ;;
        */*) target=${include%%/*} ;;
        *)
            [[ $line == *\"* ]] || continue # a system header
            target=$(basename "$folder")    # a neighbour named without its folder
            [ "$folder" = dataplane ] && target=dataplane
            ;;
        esac
        case $target in sys | netinet | arpa | net | linux | cyaml | jemalloc | openssl | pcap | asm | bits) continue ;; esac
        if [[ $permitted != *" $target "* ]]; then
            echo "$file includes $include: $folder may include only:$permitted"
            bad=1
        fi
    done < <(grep -E '^[[:space:]]*#[[:space:]]*include' "$file")
done < <(git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.def')
exit $bad
