# Sourced by try-packages: the packages, made twice in two folders.

[ -z "$(git -C "$root" status --porcelain)" ] || say "What is not committed is not tried."

# make_packages FOLDER makes the packages in a clone of this one there.
make_packages() {
	git clone -q "$root" "$1" && git -C "$1" checkout -q "$(git -C "$root" rev-parse HEAD)" && "$1/scripts/package"
}
check "packages are made" make_packages "$work/one"
# -a compiles everything again, so a second look at the compilers' cache proves nothing.
check "packages are made again, elsewhere" env GOFLAGS=-a bash -c "$(declare -f make_packages); root=$root; make_packages $work/deeper/two"
deb=$(echo "$work"/one/.build/packages/*.deb) image=$(echo "$work"/one/.build/packages/*.oci.tar)
for file in "$deb" "$image"; do
	check "${file##*/} is the same, $(stat -c %s "$file") bytes" cmp "$file" "$work/deeper/two/.build/packages/${file##*/}"
done
rm -rf "$work/deeper"
