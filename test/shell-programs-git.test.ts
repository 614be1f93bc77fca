// git: what only looks at the repository, and every way to change it, run a program or leave it.
import { expect, test } from "bun:test";
import { GIT_PROGRAMS as TABLE } from "../src/permissions/shell/programs/git.ts";
import { approved, asked, summaries } from "./shell-programs-kit.ts";

test("looking at the repository is reading", () => {
  const lines = `
    git --version
    git status
    git status -s
    git status --short --branch
    git status --porcelain
    git status --porcelain=v2 --branch
    git status -sb
    git status -uno
    git status -- src
    git log
    git log --oneline
    git log --oneline -10
    git log -5
    git log -n 5
    git log -n5 --stat
    git log --oneline --graph --all --decorate
    git log --graph --pretty=format:'%h %s' --abbrev-commit
    git log --format='%H %an %ad %s' --date=iso
    git log --format="- %s" v1.0..HEAD
    git log --since="2 weeks ago" --until=yesterday
    git log --since "2 weeks ago"
    git log --author=Dev
    git log --author "Dev Name" -5
    git log --grep=fix
    git log --grep fix -i
    git log -S foo
    git log -S'foo bar' --oneline
    git log -G 'foo.*bar' -p
    git log -p
    git log -p -- src/a.ts
    git log -p -1 HEAD~2
    git log --follow -- src/a.ts
    git log --follow -p src/a.ts
    git log main..HEAD
    git log main..feature/x --oneline
    git log origin/main..HEAD
    git log HEAD...origin/main --left-right --oneline
    git log --stat -3
    git log --name-only -3
    git log --name-status --oneline
    git log --numstat
    git log --merges --first-parent
    git log --no-merges
    git log --all -- deleted.ts
    git log --diff-filter=D --summary
    git log --diff-filter=A --name-only -- '*.ts'
    git log -L 10,20:src/a.ts
    git log -L :main:src/a.ts
    git log -1 --format=%H
    git log -1 --pretty=%B
    git log --reverse --oneline
    git log --date=short --pretty=format:"%ad %s"
    git log --decorate=short
    git log --show-pulls
    git log -1
    git log HEAD^..HEAD
    git log --max-count=5 --skip=5
    git log --shortstat
    git log --cherry-pick --right-only a...b
    git diff
    git diff HEAD
    git diff HEAD~1
    git diff HEAD~1 HEAD --stat
    git diff --stat
    git diff --cached
    git diff --staged
    git diff --staged --name-only
    git diff --name-status main
    git diff main...HEAD
    git diff main..feature/x -- src
    git diff --no-color
    git diff -U5
    git diff -U0 HEAD -- src/a.ts
    git diff --unified=3
    git diff -w
    git diff --ignore-all-space
    git diff --word-diff
    git diff --word-diff=color
    git diff --quiet
    git diff --exit-code
    git diff --check
    git diff --numstat
    git diff --shortstat origin/main
    git diff -M --summary
    git diff abc123 def456
    git diff HEAD:src/a.ts HEAD~1:src/a.ts
    git diff -- src/a.ts
    git diff src/a.ts
    git diff --diff-filter=ACM --name-only
    git diff --color=never
    git diff --minimal
    git diff --no-ext-diff
    git diff --relative
    git diff -R
    git diff --compact-summary
    git diff --color-words
    git --no-pager diff HEAD~1
    git --no-pager log -3
    git -P log -3
    git --no-optional-locks status
    git show
    git show HEAD
    git show HEAD~1 --stat
    git show HEAD:package.json
    git show --stat HEAD
    git show --name-only HEAD
    git show abc123 -- src/a.ts
    git show -s --format=%ci HEAD
    git show --no-patch HEAD
    git show v1.0
    git show :src/a.ts
    git shortlog -sn
    git shortlog -sne HEAD
    git shortlog -s -n --all
    git blame src/a.ts
    git blame -L 10,20 src/a.ts
    git blame -L10,+5 src/a.ts
    git blame -w -C src/a.ts
    git blame HEAD~1 -- src/a.ts
    git blame --date=short src/a.ts
    git blame -p src/a.ts
    git annotate src/a.ts
    git grep foo
    git grep -n foo
    git grep -n foo -- '*.ts'
    git grep -in foo HEAD~1 -- src
    git grep -l foo
    git grep -c foo
    git grep -e foo --and -e bar
    git grep -E 'a|b'
    git grep -w foo src
    git grep -A3 foo
    git ls-files
    git ls-files -m
    git ls-files --others --exclude-standard
    git ls-files '*.ts'
    git ls-files -s
    git ls-files -o -i --exclude-standard
    git ls-files --error-unmatch src/a.ts
    git ls-tree HEAD
    git ls-tree -r HEAD --name-only
    git ls-tree -r --name-only HEAD src/
    git ls-tree -l HEAD
    git rev-parse HEAD
    git rev-parse --short HEAD
    git rev-parse --short=8 HEAD
    git rev-parse --abbrev-ref HEAD
    git rev-parse --show-toplevel
    git rev-parse --git-dir
    git rev-parse --is-inside-work-tree
    git rev-parse --verify main
    git rev-parse --verify --quiet main
    git rev-parse origin/main
    git rev-list --count HEAD
    git rev-list HEAD --max-count=3
    git rev-list --count main..HEAD
    git rev-list --left-right --count main...HEAD
    git rev-list -n 1 HEAD
    git rev-list --objects --all
    git describe
    git describe --tags
    git describe --tags --always --dirty
    git describe --tags --abbrev=0
    git describe --match 'v*'
    git name-rev HEAD
    git cat-file -p HEAD
    git cat-file -t HEAD
    git cat-file -s HEAD:package.json
    git cat-file blob HEAD:package.json
    git cat-file --batch-check --batch-all-objects
    git diff-tree --no-commit-id --name-only -r HEAD
    git diff-index --name-only HEAD
    git diff-index --quiet HEAD --
    git diff-files --name-status
    git for-each-ref
    git for-each-ref --sort=-committerdate --format='%(refname:short)' refs/heads
    git for-each-ref --count=5 refs/tags
    git show-ref
    git show-ref --heads
    git show-ref --tags -d
    git show-ref --verify --quiet refs/heads/main
    git merge-base main HEAD
    git merge-base --is-ancestor main HEAD
    git merge-base --fork-point main
    git branch
    git branch -a
    git branch -r
    git branch -v
    git branch -vv
    git branch -avv
    git branch --list
    git branch --list 'feat/*'
    git branch --show-current
    git branch --merged
    git branch --merged main
    git branch --no-merged
    git branch --contains HEAD
    git branch -r --contains abc123
    git branch --sort=-committerdate
    git branch -a --format='%(refname:short)'
    git branch -l 'f*'
    git branch --all --verbose
    git tag
    git tag -l
    git tag -l 'v1.*'
    git tag --list
    git tag -n
    git tag -n5
    git tag --sort=-creatordate
    git tag --contains HEAD
    git tag --points-at HEAD
    git tag --merged main
    git remote
    git remote -v
    git remote get-url origin
    git remote get-url --push origin
    git stash list
    git stash list --stat
    git stash list --format='%gd %s'
    git stash show
    git stash show -p
    git stash show --stat
    git reflog
    git reflog -10
    git reflog -n 10
    git reflog show main
    git reflog --date=iso
    git reflog HEAD
    git config --get user.name
    git config user.email
    git config --get remote.origin.url
    git config --local --list
    git config --local -l
    git config -f .gitmodules --list
    git config --file .gitmodules --get-regexp path
    git config core.bare
    git config --get-regexp '^alias\\.'
    git config --get-regexp '^remote\\..*\\.url$'
    git config --get init.defaultBranch
    git config --global user.name
    git worktree list
    git worktree list --porcelain
    git symbolic-ref HEAD
    git symbolic-ref --short HEAD
    git symbolic-ref refs/remotes/origin/HEAD
    git check-ignore -v dist
    git check-ignore node_modules
    git check-attr -a src/a.ts
    git count-objects -vH
    git fsck
    git version
    git cherry -v main
    git range-diff main...feature
    git whatchanged -3
    git show-branch
    git notes list
    git apply --stat a.patch
    git apply --check a.patch
    git clean -n
    git clean -nd
    git hash-object src/a.ts
    git bundle verify a.bundle
    git verify-pack -v .git/objects/pack/*.idx
    git sparse-checkout list
    git bisect log
    git help -a
    git diff-tree -r HEAD^ HEAD
  `;
  expect(asked(TABLE, lines)).toEqual([]);
});

test("changing it, running programs for it or leaving it is not", () => {
  const lines = `
    git log --output=x
    git log --outp=x
    git log --output x
    git log -p --output=x
    git diff --output=x
    git diff --output x
    git diff -U --output=x
    git diff --unified --output=x
    git log --min-parents --output=x
    git diff --ext-diff
    git log --ext-diff -p
    git diff --textconv
    git show --textconv
    git log -O/etc/passwd
    git log --show-signature
    git log --format='%G?'
    git log --pretty=format:%GK
    git log $x
    git log "$x"
    git diff --submodule=diff
    git diff --submodule
    git log --submodule=log
    git stash
    git stash push
    git stash pop
    git stash list --output=out.txt
    git stash show --output=x
    git stash drop
    git stash clear
    git stash save x
    git reflog expire --all
    git reflog --output=x
    git reflog drop x
    git reflog -5 expire
    git branch new
    git branch -a new
    git branch -D x
    git branch -d x
    git branch -m a b
    git branch -c a b
    git branch -f a b
    git branch -u origin/x
    git branch --set-upstream-to=x
    git branch --edit-description
    git branch -l new
    git branch -v new
    git branch --sort=x new
    git branch --format=x new
    git branch --unset-upstream
    git branch -q new
    git tag v1
    git tag -a v1 -m x
    git tag -d v1
    git tag -s v1
    git tag -f v1
    git tag --sort=x v1
    git tag -v v1
    git tag -m x v1
    git remote add x y
    git remote show origin
    git remote update
    git remote prune origin
    git remote rm x
    git remote set-url origin x
    git remote -v update
    git remote -v add x y
    git config user.name foo
    git config --global --list
    git config --list
    git config -l
    git config --get credential.helper
    git config --get http.extraheader
    git config --get-regexp '.*'
    git config --get-regexp token
    git config --get-regexp '^alias|token'
    git config --edit
    git config -e
    git config edit
    git config --local edit
    git config unset user.name
    git config --unset user.name
    git config --add core.fsmonitor x
    git config --replace-all a.b c
    git config core.fsmonitor ./x
    git config --local core.fsmonitor ./x
    git config --remove-section x
    git config set user.name x
    git worktree add x
    git worktree remove x
    git worktree prune
    git submodule status
    git submodule update
    git submodule foreach x
    git symbolic-ref HEAD refs/heads/x
    git symbolic-ref -d HEAD
    git symbolic-ref -m x HEAD y
    git grep -O foo
    git grep -nO./run.sh foo
    git grep --open-files-in-pager=x foo
    git grep --open-files foo
    git grep --no-index foo
    git grep --textconv foo
    git grep --recurse-submodules foo
    git blame -S x a
    git blame --output=x a
    git blame --abbrev --output=x a
    git cat-file --textconv HEAD:x
    git cat-file --filters HEAD:x
    git archive -o x HEAD
    git archive --output=x HEAD
    git archive --outp=x HEAD
    git archive --remote=x HEAD
    git archive --exec=x HEAD
    git archive --add-file=/etc/passwd HEAD
    git bundle create x HEAD
    git hash-object -w x
    git hash-object --stdin -w
    git apply a.patch
    git apply --stat --apply a.patch
    git apply --index a.patch
    git clean -f
    git clean -fn
    git clean -fd
    git clean -i
    git fsck --lost-found
    git notes add -m x
    git notes edit
    git bisect start
    git bisect visualize
    git bisect run x
    git rerere
    git gc
    git repack
    git ls-remote
    git fetch
    git pull
    git push
    git clone x
    git add .
    git commit -m x
    git checkout x
    git switch x
    git restore x
    git reset
    git merge x
    git rebase x
    git cherry-pick x
    git revert x
    git rm x
    git mv a b
    git init
    git var -l
    git var GIT_EDITOR
    git help log
    git log --help
    git -c core.pager=x log
    git -C x log
    git --git-dir=x log
    git --git-dir x log
    git --work-tree=x status
    git --exec-path=x log
    git --config-env=a=b log
    git --namespace=x log
    git -p log
    git --paginate log
    git --no-pager -c a=b log
    git verify-commit HEAD
    git verify-tag v1
    git difftool
    git mergetool
    git instaweb
    git format-patch HEAD~1
    git am x
    git send-email x
    git credential fill
    git update-ref refs/heads/x HEAD
    git update-index --refresh
    git read-tree HEAD
    git write-tree
    git commit-tree x
    git checkout-index -a
    git prune
    git pack-refs
    git maintenance run
    git rev-list --output=x HEAD
    git shortlog -w --output=x HEAD
    git range-diff --output=x a...b
    git diff-tree --output=x HEAD
    git diff-index --output=x HEAD
    git diff-files --output=x
    git show --output=x
    git whatchanged --output=x
    git fast-export --all --export-marks=x
    git unknown
    git "$x"
  `;
  expect(approved(TABLE, lines)).toEqual([]);
});

test("the files that revisions and pathspecs name", () => {
  const { found, expected } = summaries(
    TABLE,
    `
    git show HEAD:src/a.ts -> read r:HEAD:src/a.ts r:src/a.ts
    git show :0:.env -> read r::0:.env r:.env
    git diff -- :(top).env -> read r::(top).env r:.env
    git log origin/main..HEAD -- src -> read r:origin/main..HEAD r:src
    git log -- '*.ts' -> read r:*.ts r:*.ts
    git log -L 1,2:src/a.ts -> read r:src/a.ts
    git log -L :main:src/a.ts -> read r:src/a.ts
    git diff /etc/passwd /dev/null -> read r:/etc/passwd r:/dev/null
    git diff --no-index a b -> read r*:a r*:b
    git diff --no-index /etc/passwd x -> read r*:/etc/passwd r*:x
    git diff --no-index "$x" x -> unknown r*:… r*:x
    git show HEAD:../x -> read r:HEAD:../x r:../x
    git log :/fix -> read r::/fix r:fix
    git grep foo -> read r*:.
    git grep foo HEAD -> read r*:HEAD r*:.
    git grep foo -- src -> read r*:src
    git grep -f list -> read r*:list r*:.
    git blame --contents=/etc/passwd a -> read r:a r:/etc/passwd
    git config -f .gitmodules --list -> read r:.gitmodules
    git ls-files src -> read n:src
    git show "HEAD:$x" -> read r:HEAD:…
    git log --since="$x" -> read
    git log --format="$x" -> unknown
    git add .env -> unknown r:.env
    `,
  );
  expect(found).toEqual(expected);
});
