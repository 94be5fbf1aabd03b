// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../Balances.sol";
import {IInferenceConsumer} from "../oracle/IInferenceConsumer.sol";
import {IInferenceInput} from "../oracle/IInferenceInput.sol";
import {InferenceOracle} from "../oracle/InferenceOracle.sol";
import {Token} from "./Token.sol";

/// @title A lending pool whose interest rate follows a proven model
/// @notice Lends the chain's coin against a token. Once a period the pool notes its mean utilisation and its rate, and
/// asks a model for the next rate by what it noted in the last 32 periods. The answer comes with a proof that this
/// model computed it from this history, and moves the rate, by no more than `MAX_STEP` a period.
/// @dev An example of a user of `InferenceOracle`, kept small. There is no owner and no switch: model, token, price and
/// bounds never change. Rates are bytes: quarters of a per cent a year.
///
/// Dangers. The token has one price for ever: use one that is redeemable for the coin at that rate, which takes no fee
/// on transfers. The model may be a bad one; the bounds, and a step of 3 % a year, are what limits it. Who pays the
/// bounties (the pool from its reserves, anybody by `checkpoint`) keeps the rate moving; without answers it stays.
/// Coins leave by `withdraw` alone, so that redeeming or borrowing only credits them.
///
/// Threats: who could gain by what, and the test in test/Lending*.t.sol that tries it.
///   anybody sets the rate by calling `onInference`, or by a request           test_onlyTheOwnRequestSetsTheRate
///     of their own with the pool as its target
///   a borrower holds an answer back, to use it in a later period              test_lateAnswerIsRefused
///   a borrower answers twice, or has the answer delivered again               test_anAnswerCountsOnce
///   a model, or who made it, asks for an absurd rate                          test_rateIsClamped
///   a borrower stops all answers, to keep a low rate                          test_withoutAnswersTheRateStays
///   a whale changes the utilisation in the block of the checkpoint            test_utilisationIsAMean
///   a source that changes what a proof was made of                            test_historyNeverChanges
///   a borrower takes more than the collateral bears, or its collateral back   test_debtNeedsCollateral
///   the first supplier inflates the value of shares to round others away      test_sharesCannotBeInflated
///   the first supplier does so by gifts: debts are rounded up                test_giftsByRoundingDoNotRobTheNextSupplier
///   a liquidator takes a sound account's collateral, or more than its due     test_onlyUnsoundAccountsAreLiquidated
///   a token that calls back in while it is paid out                           test_tokenThatReenters
///   a debtor whose collateral no longer covers the debt                       test_badDebtIsWrittenOff
contract LendingPool is Balances, IInferenceConsumer, IInferenceInput {
    // ---------------------------------------------------------------- constants

    /// @notice Periods in a history.
    uint256 public constant PERIODS = 32;

    /// @notice How far an answer may move the rate, in quarters of a per cent a year; and the rate's bounds.
    uint256 public constant MAX_STEP = 12;
    uint256 public constant MIN_RATE = 1;
    uint256 public constant MAX_RATE = 255;

    /// @notice What may be borrowed on collateral, at what debt it may be liquidated, and the liquidator's gain, all in
    /// hundredths of a per cent of its value.
    uint256 public constant BORROW_LIMIT = 7500;
    uint256 public constant LIQUIDATION_LIMIT = 8000;
    uint256 public constant LIQUIDATION_GAIN = 500;

    /// @notice The part of interest that pays for answers, in hundredths of a per cent.
    uint256 public constant RESERVE_SHARE = 1000;

    /// @notice Gas for `onInference`.
    uint32 public constant CALLBACK_GAS = 150_000;

    uint256 private constant ONE = 1e18;
    uint256 private constant WHOLE = 10_000;
    /// @dev A year of seconds times the quarters of a per cent in a whole.
    uint256 private constant YEAR = 365 days * 400;
    /// @dev Shares that nobody has, so that a first supplier can't make one share worth much.
    uint256 private constant VIRTUAL_SHARES = 1000;

    // ---------------------------------------------------------------- types

    /// @notice What never changes.
    /// @param token The collateral; must be a plain ERC-20.
    /// @param price Wei for 1e18 of the token's units.
    /// @param model The model's number in the oracle: 64 bytes in, one number out.
    /// @param zero The answer that stands for a rate of 0; `scale` is the rate of one step more, times 1e18.
    /// @param period Seconds.
    /// @param bounty What the pool pays for an answer, from its reserves.
    /// @param rate The rate to begin with.
    struct Terms {
        Token token;
        uint256 price;
        InferenceOracle oracle;
        uint256 model;
        uint256 zero;
        uint256 scale;
        uint256 period;
        uint256 bounty;
        uint256 rate;
    }

    /// @dev Bytes of the last 32 periods, the oldest lowest.
    struct History {
        uint256 used;
        uint256 rates;
        uint256 blockNumber;
    }

    // ---------------------------------------------------------------- errors

    /// @notice A term is zero or out of range.
    error BadTerms();

    /// @notice The period isn't over.
    error TooEarly(uint256 until);

    /// @notice The caller isn't the oracle.
    error NotTheOracle();

    /// @notice The request isn't the one that the pool waits for.
    error NotPending(uint256 id);

    /// @notice There was no such checkpoint at that block.
    error NoCheckpoint(uint256 number);

    /// @notice The collateral doesn't bear the debt.
    error Undercollateralised(uint256 debt, uint256 limit);

    /// @notice The pool hasn't got this much.
    error NotEnoughCash(uint256 cash);

    /// @notice More shares or collateral than the account has.
    error NotEnough(uint256 available);

    /// @notice The account's debt is within its limit.
    error Sound();

    /// @notice What was sent is less than this.
    error SendMore(uint256 needed);

    /// @notice Nothing would come of it.
    error Nothing();

    /// @notice The token said no.
    error TokenFailed();

    // ---------------------------------------------------------------- events

    event Supplied(address indexed account, uint256 amount, uint256 shares);
    event Redeemed(address indexed account, uint256 amount, uint256 shares);
    event CollateralChanged(address indexed account, uint256 amount);
    event Borrowed(address indexed account, uint256 amount);
    event Repaid(address indexed account, uint256 amount);
    event Liquidated(address indexed account, address indexed liquidator, uint256 paid, uint256 seized, uint256 lost);

    /// @notice A period ended with this mean utilisation (255 is all), and the oracle was asked, unless `id` is 0.
    event Checkpoint(uint256 indexed number, uint256 used, uint256 rate, uint256 id, uint256 bounty);

    /// @notice An answer moved the rate. `wanted` is what the model said, `rate` what the limits made of it.
    event RateSet(uint256 indexed id, uint256 wanted, uint256 rate);

    // ---------------------------------------------------------------- storage

    Token public immutable token;
    uint256 public immutable price;
    InferenceOracle public immutable oracle;
    uint256 public immutable model;
    uint256 public immutable zero;
    uint256 public immutable scale;
    uint256 public immutable period;
    uint256 public immutable bounty;

    /// @notice Coins to lend, reserves among them.
    uint256 public cash;
    uint256 public reserves;

    /// @notice Shares of suppliers and of debtors. A debtor's share is worth `index`/1e18 wei.
    uint256 public totalShares;
    uint256 public totalDebtShares;
    uint256 public index = ONE;
    mapping(address account => uint256) public sharesOf;
    mapping(address account => uint256) public debtSharesOf;
    mapping(address account => uint256) public collateralOf;

    /// @notice The rate, when interest was last added, and when the period began.
    uint64 public rate;
    uint64 public accruedAt;
    uint64 public periodStart;

    /// @notice Checkpoints so far; the last one's number, as they count from 1. The request that is waited for, or 0.
    uint256 public checkpoints;
    uint256 public pending;

    /// @dev Utilisation times seconds of this period.
    uint256 private _used;
    mapping(uint256 number => History) private _histories;

    constructor(Terms memory t) {
        if (
            address(t.token).code.length == 0 || t.price == 0 || t.scale == 0 || t.period == 0 || t.rate < MIN_RATE
                || t.rate > MAX_RATE
        ) revert BadTerms();
        token = t.token;
        price = t.price;
        oracle = t.oracle;
        model = t.model;
        zero = t.zero;
        scale = t.scale;
        period = t.period;
        bounty = t.bounty;
        rate = uint64(t.rate);
        accruedAt = uint64(block.timestamp);
        periodStart = uint64(block.timestamp);
        // Reverts unless there is such a model.
        t.oracle.modelOf(t.model);
    }

    /// @notice Takes back what the oracle owes; see `recover`.
    receive() external payable {
        if (msg.sender != address(oracle)) revert NotTheOracle();
        cash += msg.value;
        reserves += msg.value;
    }

    // ---------------------------------------------------------------- suppliers

    /// @notice Lends what is sent to the pool.
    function supply() external payable returns (uint256 shares) {
        accrue();
        shares = msg.value * (totalShares + VIRTUAL_SHARES) / (_suppliers() + 1);
        if (shares == 0) revert Nothing();
        cash += msg.value;
        totalShares += shares;
        sharesOf[msg.sender] += shares;
        emit Supplied(msg.sender, msg.value, shares);
    }

    /// @notice Turns shares into coins that the caller may withdraw.
    function redeem(uint256 shares) external returns (uint256 amount) {
        accrue();
        uint256 own = sharesOf[msg.sender];
        if (shares > own) revert NotEnough(own);
        amount = shares * (_suppliers() + 1) / (totalShares + VIRTUAL_SHARES);
        sharesOf[msg.sender] = own - shares;
        totalShares -= shares;
        _pay(msg.sender, amount);
        emit Redeemed(msg.sender, amount, shares);
    }

    // ---------------------------------------------------------------- borrowers

    /// @notice Takes collateral from the caller, who must have approved it.
    function depositCollateral(uint256 amount) external {
        _call(abi.encodeCall(Token.transferFrom, (msg.sender, address(this), amount)));
        collateralOf[msg.sender] += amount;
        emit CollateralChanged(msg.sender, collateralOf[msg.sender]);
    }

    /// @notice Gives collateral back that the caller's debt doesn't need.
    function withdrawCollateral(uint256 amount) external {
        accrue();
        uint256 own = collateralOf[msg.sender];
        if (amount > own) revert NotEnough(own);
        collateralOf[msg.sender] = own - amount;
        _checkDebt(msg.sender);
        emit CollateralChanged(msg.sender, own - amount);
        _call(abi.encodeCall(Token.transfer, (msg.sender, amount)));
    }

    /// @notice Lends the caller coins, which it may then withdraw.
    function borrow(uint256 amount) external {
        accrue();
        uint256 shares = (amount * ONE + index - 1) / index;
        debtSharesOf[msg.sender] += shares;
        totalDebtShares += shares;
        _checkDebt(msg.sender);
        _pay(msg.sender, amount);
        emit Borrowed(msg.sender, amount);
    }

    /// @notice Pays an account's debt back. What is too much is credited to the caller.
    function repay(address account) external payable {
        accrue();
        uint256 debt = debtOf(account);
        uint256 paid = msg.value < debt ? msg.value : debt;
        uint256 own = debtSharesOf[account];
        uint256 shares = paid == debt ? own : paid * ONE / index;
        debtSharesOf[account] = own - shares;
        totalDebtShares -= shares;
        cash += paid;
        _credit(msg.sender, msg.value - paid);
        emit Repaid(account, paid);
    }

    /// @notice Pays an unsound account's whole debt, or as much as its collateral is worth, and takes the collateral for
    /// it. What is too much is credited to the caller; debt that the collateral doesn't cover is the suppliers' loss.
    function liquidate(address account) external payable {
        accrue();
        uint256 debt = debtOf(account);
        uint256 collateral = collateralOf[account];
        uint256 value = collateral * price / ONE;
        if (debt * WHOLE <= value * LIQUIDATION_LIMIT) revert Sound();
        uint256 paid = value * WHOLE / (WHOLE + LIQUIDATION_GAIN);
        uint256 seized = collateral;
        if (debt <= paid) {
            paid = debt;
            seized = debt * (WHOLE + LIQUIDATION_GAIN) / WHOLE * ONE / price;
        }
        if (msg.value < paid) revert SendMore(paid);
        totalDebtShares -= debtSharesOf[account];
        debtSharesOf[account] = 0;
        collateralOf[account] = collateral - seized;
        cash += paid;
        _credit(msg.sender, msg.value - paid);
        emit Liquidated(account, msg.sender, paid, seized, debt - paid);
        _call(abi.encodeCall(Token.transfer, (msg.sender, seized)));
    }

    // ---------------------------------------------------------------- the model

    /// @notice Ends a period: notes its mean utilisation and its rate, and asks for the next. Anyone may call, and add to
    /// the bounty. A question that is still open is given up; `recover` brings its bounty back.
    function checkpoint() external payable returns (uint256 id) {
        accrue();
        uint256 elapsed = block.timestamp - periodStart;
        if (elapsed < period) revert TooEarly(periodStart + period);
        uint256 number = ++checkpoints;
        uint256 used = (_used * 255 / elapsed + ONE / 2) / ONE;
        History storage last = _histories[number - 1];
        _histories[number] = History(last.used >> 8 | used << 248, last.rates >> 8 | uint256(rate) << 248, block.number);
        _used = 0;
        periodStart = uint64(block.timestamp);

        uint256 paid = msg.value;
        pending = 0;
        if (number >= PERIODS) {
            if (reserves >= bounty && cash >= bounty) {
                reserves -= bounty;
                cash -= bounty;
                paid += bounty;
            }
            InferenceOracle.Callback memory callback = InferenceOracle.Callback(address(this), CALLBACK_GAS);
            uint64 deadline = uint64(block.timestamp + period);
            bytes memory data = abi.encode(number);
            id = oracle.requestView{value: paid}(model, address(this), data, block.number, callback, deadline);
            pending = id;
        } else {
            _credit(msg.sender, paid);
            paid = 0;
        }
        emit Checkpoint(number, used, rate, id, paid);
    }

    /// @inheritdoc IInferenceConsumer
    function onInference(uint256 id, uint256, uint256[] calldata output) external {
        if (msg.sender != address(oracle)) revert NotTheOracle();
        if (id != pending || id == 0) revert NotPending(id);
        accrue();
        pending = 0;
        uint256 wanted = output[0] > zero ? ((output[0] - zero) * scale + ONE / 2) / ONE : 0;
        uint256 old = rate;
        uint256 low = old > MIN_RATE + MAX_STEP ? old - MAX_STEP : MIN_RATE;
        uint256 high = old + MAX_STEP < MAX_RATE ? old + MAX_STEP : MAX_RATE;
        uint256 next = wanted < low ? low : wanted > high ? high : wanted;
        rate = uint64(next);
        emit RateSet(id, wanted, next);
    }

    /// @notice The model's input at a checkpoint: 32 bytes of utilisation, then 32 of rates, the oldest first.
    /// @param data The checkpoint's number, ABI-encoded.
    /// @param blockNumber The checkpoint's block, or a later one.
    function inferenceInput(bytes calldata data, uint256 blockNumber) external view returns (uint256[] memory limbs) {
        uint256 number = abi.decode(data, (uint256));
        History storage h = _histories[number];
        if (h.blockNumber == 0 || h.blockNumber > blockNumber) revert NoCheckpoint(number);
        (uint256 used, uint256 rates) = (h.used, h.rates);
        uint256 mask = (1 << 248) - 1;
        limbs = new uint256[](3);
        limbs[0] = used & mask;
        limbs[1] = (used >> 248 | rates << 8) & mask;
        limbs[2] = rates >> 240;
    }

    /// @notice Takes back a bounty that nobody earned, of a request of this pool whose deadline has passed.
    function recover(uint256 id) external {
        // Anybody may have called it before.
        try oracle.refund(id) {} catch {}
        uint256 amount = oracle.balanceOf(address(this));
        oracle.withdraw(payable(address(this)), amount);
    }

    // ---------------------------------------------------------------- interest

    /// @notice Adds the interest since the last time.
    function accrue() public {
        uint256 seconds_ = block.timestamp - accruedAt;
        if (seconds_ == 0) return;
        accruedAt = uint64(block.timestamp);
        _used += utilisation() * seconds_;
        uint256 before = totalDebt();
        index += index * rate * seconds_ / YEAR;
        reserves += (totalDebt() - before) * RESERVE_SHARE / WHOLE;
    }

    /// @notice All debt, as of the last time that interest was added.
    function totalDebt() public view returns (uint256) {
        return totalDebtShares * index / ONE;
    }

    /// @notice An account's debt, rounded up, as of the last time that interest was added.
    function debtOf(address account) public view returns (uint256) {
        return (debtSharesOf[account] * index + ONE - 1) / ONE;
    }

    /// @notice The part of the suppliers' coins that is lent, times 1e18.
    function utilisation() public view returns (uint256) {
        uint256 debt = totalDebt();
        uint256 all = _suppliers();
        return debt == 0 ? 0 : debt >= all ? ONE : debt * ONE / all;
    }

    // ---------------------------------------------------------------- inner functions

    /// @dev What belongs to the suppliers.
    function _suppliers() private view returns (uint256) {
        uint256 all = cash + totalDebt();
        return all > reserves ? all - reserves : 0;
    }

    /// @dev Credits coins of the pool, which keeps its reserves.
    function _pay(address account, uint256 amount) private {
        uint256 free = cash > reserves ? cash - reserves : 0;
        if (amount > free) revert NotEnoughCash(free);
        if (amount == 0) revert Nothing();
        cash -= amount;
        _credit(account, amount);
    }

    /// @dev Reverts unless the collateral bears the debt.
    function _checkDebt(address account) private view {
        uint256 debt = debtOf(account);
        uint256 limit = collateralOf[account] * price / ONE * BORROW_LIMIT / WHOLE;
        if (debt > limit) revert Undercollateralised(debt, limit);
    }

    /// @dev Calls the token, which may answer nothing or `true`.
    function _call(bytes memory message) private {
        (bool ok, bytes memory said) = address(token).call(message);
        if (!ok || (said.length != 0 && !abi.decode(said, (bool)))) revert TokenFailed();
    }
}
