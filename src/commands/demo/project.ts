// The scratch project of `nanocode demo`: shell scripts only, so that its tests run on any machine with a shell.

/** File name to content. `price.sh` holds the bug: cents below ten lose their zero. */
export const PROJECT: Readonly<Record<string, string>> = {
  "README.md": `# Market stall

Prints receipts for a market stall. Amounts are whole cents; people see euros, with two digits after the comma.

    sh receipt.sh "Käse" 1205 "Äpfel" 340     a receipt
    sh test.sh                                the tests
`,

  "price.sh": `# Prices: amounts are whole cents.

# euro CENTS: the amount as people write it, for example 12,05 €.
euro() {
  printf '%d,%d €\\n' $(($1 / 100)) $(($1 % 100))
}

# total CENTS...: the sum of all amounts, in cents.
total() {
  sum=0
  for cents in "$@"; do
    sum=$((sum + cents))
  done
  echo "$sum"
}
`,

  "receipt.sh": `# usage: sh receipt.sh NAME CENTS [NAME CENTS]...
. ./price.sh

paid=0
while [ $# -ge 2 ]; do
  printf '%s: %s\\n' "$1" "$(euro "$2")"
  paid=$(total "$paid" "$2")
  shift 2
done
echo "Summe: $(euro "$paid")"
`,

  "test.sh": `# Runs the tests: sh test.sh
. ./price.sh
passed=0
failed=0

# check WHAT EXPECTED ACTUAL
check() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
    echo "ok    $1"
  else
    failed=$((failed + 1))
    echo "FAIL  $1: expected $2 but got $3"
  fi
}

check "euros and cents" "12,50 €" "$(euro 1250)"
check "less than ten cents" "12,05 €" "$(euro 1205)"
check "whole euros" "3,00 €" "$(euro 300)"
check "a receipt" "Käse: 12,05 €" "$(sh receipt.sh Käse 1205 | head -n 1)"
check "the sum" "1545" "$(total 1205 340)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
`,
};
