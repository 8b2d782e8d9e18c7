package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Command.ChangePolicy;
import coop.sahkar.coordinator.state.Command.Setting;
import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.governance.PolicySettings;
import java.util.Map;

/** What becomes of the policy when single settings of it change. Pure. */
final class PolicyRules {
    /** Settings of one command. */
    static final int MAX_SETTINGS = 256;

    private static final int MAX_SHOWN = 64;

    private PolicyRules() {}

    static Step change(PoolState state, ChangePolicy change) {
        if (change.settings().size() > MAX_SETTINGS || change.expected().size() > MAX_SETTINGS) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "at most %s settings are changed at once".formatted(MAX_SETTINGS));
        }
        PolicySettings after = new PolicySettings(state.policy(), state.accounts().access());
        Map<String, String> now = after.all();
        for (Setting expected : change.expected()) {
            String is = now.getOrDefault(expected.name(), "");
            if (!is.equals(expected.value())) {
                return Step.refuse(
                        state,
                        Reason.STALE,
                        "%s is '%s' and not '%s'"
                                .formatted(shown(expected.name()), is, shown(expected.value())));
            }
        }
        try {
            for (Setting setting : change.settings()) {
                after = after.with(setting.name(), setting.value());
            }
        } catch (IllegalArgumentException wrong) {
            return Step.refuse(state, Reason.INVALID, String.valueOf(wrong.getMessage()));
        }
        Step access = AccountRules.setAccess(state, after.access());
        return access.refusal() != null
                ? access
                : Step.to(StateChange.policy(access.state(), after.policy()));
    }

    private static String shown(String text) {
        return text.substring(0, Math.min(text.length(), MAX_SHOWN));
    }
}
