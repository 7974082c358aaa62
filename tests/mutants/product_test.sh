#!/bin/bash
# Nothing of the mutants is left in the product: no symbol, and no text but in debug information.
#
#   product_test.sh PRODUCT PROGRAM_WITH_MUTANTS
set -uo pipefail

traces() { # PROGRAM; how many symbols and texts of mutants it has
    { nm "$1" && strings --data "$1"; } | grep -c -e spipe__mutant -e SPIPE_MUTANT -e '^[VS][LP]W_[0-9]' -e '^D_[0-9]'
}

product=$(traces "$1") mutants=$(traces "$2")
echo "product: $product, with mutants: $mutants"
[ "$product" = 0 ] && [ "$mutants" -gt 0 ] # the second shows that they would be seen
