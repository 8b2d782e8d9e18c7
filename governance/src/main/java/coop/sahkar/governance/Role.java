package coop.sahkar.governance;

import java.util.Locale;
import java.util.Optional;

/** What an account may do beyond asking for answers, which each may. */
public enum Role {
    /** Runs the pool: makes and ends everybody's keys, changes the policy, sees all usage. */
    OPERATOR,
    /** A person: makes, lists and ends keys of the own account, sees the own usage. */
    MEMBER,
    /** A program with a key that somebody gave it: asks for answers, and that is all. */
    SERVICE;

    /** As people write it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The role of this name, if there is one. */
    public static Optional<Role> named(String word) {
        for (Role role : values()) {
            if (role.word().equals(word)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }
}
