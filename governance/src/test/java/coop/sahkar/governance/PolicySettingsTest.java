package coop.sahkar.governance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import coop.sahkar.governance.ledger.LedgerPolicy;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Settings by name: each changes what it names and nothing else. */
class PolicySettingsTest {
    private static final PolicySettings NEW_POOL =
            new PolicySettings(Policy.DEFAULT, Access.DEFAULT);

    /** So far from a new pool's that whatever is reset shows. */
    private static final PolicySettings OTHER =
            NEW_POOL.with("pool.max_wait_millis", "1234")
                    .with("ledger.prompt_price_micros", "3")
                    .with("ledger.answer_price_micros", "30")
                    .with("ledger.usage_interval_millis", "5000")
                    .with("ledger.half_life_millis", "86400000")
                    .with("ledger.floor_weight", "4")
                    .with("ledger.most_weight", "64")
                    .with("ledger.steady_micros", "5000000000")
                    .with("tiers.gold.tokens_per_day", "77")
                    .with("anonymous", "off");

    @Test
    void theLedgersRulesAreSetByName() {
        assertThat(OTHER.policy().ledger())
                .isEqualTo(new LedgerPolicy(3, 30, 5000, 86_400_000, 4, 64, 5_000_000_000L));
    }

    @Test
    void aNumberOfThePoolLeavesTheLedgersRulesAlone() {
        Policy after = OTHER.with("pool.kv_positions", "4096").policy();
        assertThat(after).isEqualTo(OTHER.policy().withKvPositions(4096));
        assertThat(after.ledger()).isEqualTo(OTHER.policy().ledger());
    }

    @Test
    void everySettingThatIsShownCanBeSetAndChangesNothingElse() {
        for (Map.Entry<String, String> setting : OTHER.all().entrySet()) {
            assertThat(OTHER.with(setting.getKey(), setting.getValue()))
                    .as(setting.getKey())
                    .isEqualTo(OTHER);
        }
        PolicySettings copy = NEW_POOL;
        for (Map.Entry<String, String> setting : OTHER.all().entrySet()) {
            copy = copy.with(setting.getKey(), setting.getValue());
        }
        assertThat(copy).isEqualTo(OTHER);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    ledger.answer_price_micros   | dear          | is a whole number, not
                    ledger.answer_price_micros   | -1            | ledger.answer_price_micros lies
                    ledger.answer_price_micros   | 99999999999   | answer_price_micros is
                    ledger.usage_interval_millis | 99            | must lie between 100 and
                    ledger.floor_weight          | 0             | floor_weight is 0 but must lie
                    ledger.floor_weight          | 65            | most_weight is 64 but must lie
                    ledger.half_life_millis      | 1             | must lie between 60000 and
                    ledger.interest              | 1             | there is no setting
                    pool.lease_millis            | 1             | lease_millis is 1 but must lie
                    """)
    void whatCannotWorkIsRefusedInASentence(String name, String value, String words) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> OTHER.with(name, value))
                .withMessageContaining(words);
    }
}
