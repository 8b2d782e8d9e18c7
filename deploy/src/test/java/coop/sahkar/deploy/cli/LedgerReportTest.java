package coop.sahkar.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.deploy.cli.LedgerCalls.Books;
import coop.sahkar.proto.v1.LedgerAccount;
import coop.sahkar.proto.v1.LedgerAmount;
import coop.sahkar.proto.v1.LedgerHead;
import coop.sahkar.proto.v1.LedgerPosting;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LedgerReportTest {
    private static final Books BOOKS =
            new Books(
                    LedgerHead.newBuilder()
                            .setAtMillis(1_700_000_000_000L)
                            .setEarnedMicros(1_500_000)
                            .setAccounts(2)
                            .setAnswerPriceMicros(10)
                            .setPromptPriceMicros(2)
                            .build(),
                    List.of(
                            account("commons", -1_500_000, 0, 1_500_000),
                            account("worker/w1", 1_500_000, 1_500_000, 0).toBuilder()
                                    .addWorkers("w1")
                                    .build()),
                    List.of(
                            LedgerPosting.newBuilder()
                                    .setCoordinator("c1")
                                    .setSequence(7)
                                    .setAtMillis(1_700_000_000_000L)
                                    .addSpent(amount("commons", 1_500_000))
                                    .addEarned(amount("worker/w1", 1_500_000))
                                    .build()));

    @ParameterizedTest
    @CsvSource({
        "0, 0.000000",
        "1, 0.000001",
        "-1, -0.000001",
        "1500000, 1.500000",
        "-12345678, -12.345678",
    })
    void creditsAreWrittenExactly(long micros, String words) {
        assertThat(LedgerReport.credits(micros)).isEqualTo(words);
    }

    @Test
    void tablesSayWhatEverybodyHasAndThatItIsZeroTogether() {
        assertThat(LedgerReport.balances(BOOKS))
                .contains("commons    -1.500000", "worker/w1  1.500000", "are zero");
        assertThat(LedgerReport.statement(BOOKS)).contains("2023-11-14T22:13:20Z  c1");
    }

    @Test
    void exportsHoldAccountsAndPostings() {
        assertThat(LedgerReport.csv(BOOKS).lines())
                .contains(
                        "account,commons,2023-11-14T22:13:20Z,,,0,1500000,-1500000",
                        "posting,commons,2023-11-14T22:13:20Z,c1,7,0,1500000,",
                        "posting,worker/w1,2023-11-14T22:13:20Z,c1,7,1500000,0,")
                .hasSize(5);
        assertThat(LedgerReport.json(BOOKS)).contains("\"sum_micros\"", "\"worker/w1\"");
    }

    private static LedgerAccount account(String name, long balance, long earned, long spent) {
        return LedgerAccount.newBuilder()
                .setName(name)
                .setBalanceMicros(balance)
                .setEarnedMicros(earned)
                .setSpentMicros(spent)
                .setWeight(16)
                .build();
    }

    private static LedgerAmount amount(String account, long micros) {
        return LedgerAmount.newBuilder().setAccount(account).setMicros(micros).build();
    }
}
