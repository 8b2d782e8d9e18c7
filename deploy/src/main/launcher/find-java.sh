# Sourced by ./mvnw, ./sahkar and bin/sahkar: find_java_home prints the home of a JDK 25 or newer, or says in one
# sentence what to install and fails.

java_is_recent() { # is $1 the home of a Java 25 or newer?
    [ -x "$1/bin/java" ] || return 1
    major=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null)
    [ -n "$major" ] || major=$("$1/bin/java" -version 2>&1 | sed -n '1s/.*"\([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 25 ]
}

find_java_home() {
    if [ -n "${JAVA_HOME:-}" ] && java_is_recent "$JAVA_HOME"; then
        echo "$JAVA_HOME"
        return 0
    fi
    on_path=$(command -v java 2>/dev/null || true)
    if [ -n "$on_path" ]; then
        real=$(readlink -f "$on_path" 2>/dev/null || echo "$on_path")
        home=${real%/bin/java}
        if java_is_recent "$home"; then
            echo "$home"
            return 0
        fi
    fi
    for home in /usr/lib/jvm/* /usr/local/lib/jvm/* /opt/java/* /opt/jdk* /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
        /Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
        if java_is_recent "$home"; then
            echo "$home"
            return 0
        fi
    done
    echo "sahkar: no JDK 25 found; install one (for example Eclipse Temurin 25) or set JAVA_HOME to it." >&2
    return 1
}
