// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {FraudGuard} from "./FraudGuard.sol";
import {IAsset, TokenCall} from "./TokenCall.sol";

/// @title A vault of one token whose large withdrawals a fraud model guards
/// @notice ERC-4626 over ERC-20 shares. A withdrawal that `FraudGuard` flags burns its shares at once and puts its
/// assets into escrow; `claim` pays them out when the guard lets them go. While the guard is paused, nothing leaves.
/// @dev Rounding always favours the vault. Shares have three decimals more than the asset, and there is one virtual
/// unit of assets among a thousand virtual shares, so that whoever inflates the price of the first share by a gift loses
/// about a thousand times what it takes from the next depositor.
///
/// Differs from ERC-4626 in one thing: assets of a flagged withdrawal arrive later, and `Withdraw` tells of the shares
/// that were burnt. A contract that withdraws and expects its assets in the same call must ask `wouldFlag` before.
///
/// Dangers. Deposits go on during a pause, so that an account can improve its record; who deposits then can't leave
/// before its end. The asset must move exactly what it is told (no fees: such deposits revert), not rebase, and
/// be trusted not to freeze accounts. A gift of assets raises all shares' price.
///
/// Threats
/// | who gains by what | stopped by | test |
/// |---|---|---|
/// | a first depositor: inflates the share's price | virtual shares | `VaultTest.testFuzz_inflationDoesNotPay` |
/// | anyone: rounding, many small steps | rounding against the caller | `VaultTest.testFuzz_roundTripsNeverGain` |
/// | anyone: amounts that don't fit their fields | refused | `VaultTest.test_noMoreAtOnceThanAnIncidentHolds` |
/// | a token that calls back | one lock over all functions that move value; payments last | `VaultTokens.test_reentrancy` |
/// | a token that lies, takes fees or returns false | balances and answers are checked | `VaultTokens` |
/// | a spender without allowance | allowance is spent first | `VaultTest.test_allowances` |
/// | a thief: its escrow counts as the vault's assets, or others' as its own | escrow is apart | `VaultTest.test_escrowIsApart` |
contract GuardedVault is FraudGuard {
    using TokenCall for IAsset;

    // ---------------------------------------------------------------- constants

    /// @dev Virtual shares for the one virtual unit of assets.
    uint256 private constant VIRTUAL_SHARES = 1000;

    // ---------------------------------------------------------------- errors

    /// @notice The owner has too few shares.
    error InsufficientShares(uint256 shares);

    /// @notice The owner allows the caller too few shares.
    error InsufficientAllowance(uint256 allowance);

    /// @notice A function that moves value was called from within another.
    error Reentered();

    /// @notice The zero address gets nothing.
    error ZeroAddress();

    // ---------------------------------------------------------------- events

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares);
    event Withdraw(
        address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares
    );

    /// @notice A flagged withdrawal was paid out.
    event Claimed(uint256 indexed incident, address indexed receiver, uint256 assets);

    // ---------------------------------------------------------------- storage

    address public immutable asset;
    uint8 public immutable decimals;
    string public name;
    string public symbol;

    uint128 private _supply;
    uint128 private _escrowed;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    bool private transient _entered;

    // ---------------------------------------------------------------- making

    constructor(address asset_, string memory name_, string memory symbol_, Terms memory terms) FraudGuard(terms) {
        (asset, name, symbol) = (asset_, name_, symbol_);
        decimals = IAsset(asset_).decimals() + 3;
    }

    /// @dev Nothing that moves value runs inside anything else that does.
    modifier alone() {
        if (_entered) revert Reentered();
        _entered = true;
        _;
        _entered = false;
    }

    // ---------------------------------------------------------------- shares

    function totalSupply() external view returns (uint256) {
        return _supply;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _spend(from, value);
        _move(from, to, value);
        return true;
    }

    // ---------------------------------------------------------------- in and out

    /// @notice Takes `assets` from the caller, and gives `receiver` their shares.
    function deposit(uint256 assets, address receiver) external alone returns (uint256 shares) {
        shares = previewDeposit(assets);
        _deposit(receiver, assets, shares);
    }

    /// @notice Gives `receiver` so many shares, and takes their assets from the caller.
    function mint(uint256 shares, address receiver) external alone returns (uint256 assets) {
        assets = previewMint(shares);
        _deposit(receiver, assets, shares);
    }

    /// @notice Burns the shares of `assets` of `owner`, and pays them to `receiver`: now, or later if flagged.
    function withdraw(uint256 assets, address receiver, address owner) external alone returns (uint256 shares) {
        shares = previewWithdraw(assets);
        _withdraw(receiver, owner, assets, shares);
    }

    /// @notice Burns so many shares of `owner`, and pays their assets to `receiver`: now, or later if flagged.
    function redeem(uint256 shares, address receiver, address owner) external alone returns (uint256 assets) {
        assets = previewRedeem(shares);
        _withdraw(receiver, owner, assets, shares);
    }

    /// @notice Pays out a flagged withdrawal that the guard lets go. Anyone may call.
    function claim(uint256 incident) external alone returns (uint256 assets) {
        address receiver;
        (receiver, assets) = _claimed(incident);
        _escrowed -= uint128(assets);
        emit Claimed(incident, receiver, assets);
        IAsset(asset).push(receiver, assets);
    }

    // ---------------------------------------------------------------- views

    /// @notice The assets that belong to the shares: without what is in escrow.
    function totalAssets() public view returns (uint256) {
        return IAsset(asset).balanceOf(address(this)) - _escrowed;
    }

    /// @notice The assets in escrow.
    function escrowed() external view returns (uint256) {
        return _escrowed;
    }

    function convertToShares(uint256 assets) external view returns (uint256) {
        return previewDeposit(assets);
    }

    function convertToAssets(uint256 shares) external view returns (uint256) {
        return previewRedeem(shares);
    }

    function previewDeposit(uint256 assets) public view returns (uint256) {
        return assets * (_supply + VIRTUAL_SHARES) / (totalAssets() + 1);
    }

    function previewMint(uint256 shares) public view returns (uint256) {
        return _up(shares * (totalAssets() + 1), _supply + VIRTUAL_SHARES);
    }

    function previewWithdraw(uint256 assets) public view returns (uint256) {
        return _up(assets * (_supply + VIRTUAL_SHARES), totalAssets() + 1);
    }

    function previewRedeem(uint256 shares) public view returns (uint256) {
        return shares * (totalAssets() + 1) / (_supply + VIRTUAL_SHARES);
    }

    /// @notice No more than this may be deposited: all arithmetic is within 256 bits below it.
    function maxDeposit(address) external pure returns (uint256) {
        return type(uint96).max;
    }

    function maxMint(address) external view returns (uint256) {
        return previewDeposit(type(uint96).max);
    }

    function maxWithdraw(address owner) external view returns (uint256) {
        return _running() ? previewRedeem(balanceOf[owner]) : 0;
    }

    function maxRedeem(address owner) external view returns (uint256) {
        return _running() ? balanceOf[owner] : 0;
    }

    // ---------------------------------------------------------------- inner functions

    function _deposit(address receiver, uint256 assets, uint256 shares) private {
        if (receiver == address(0)) revert ZeroAddress();
        if (assets > type(uint96).max) revert TooLarge(assets);
        IAsset(asset).pull(msg.sender, assets);
        uint256 supply = _supply + shares;
        if (supply > type(uint128).max) revert TooLarge(shares);
        _supply = uint128(supply);
        unchecked {
            balanceOf[receiver] += shares;
        }
        _in(receiver, msg.sender, assets);
        emit Transfer(address(0), receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    function _withdraw(address receiver, address owner, uint256 assets, uint256 shares) private {
        if (receiver == address(0)) revert ZeroAddress();
        // Without this anybody could write withdrawals of nothing into another's record: none needs an allowance.
        if (shares == 0) revert InsufficientShares(0);
        _spend(owner, shares);
        uint256 all = totalAssets();
        uint256 balance = balanceOf[owner];
        if (balance < shares) revert InsufficientShares(balance);
        unchecked {
            balanceOf[owner] = balance - shares;
            _supply -= uint128(shares);
        }
        emit Transfer(owner, address(0), shares);
        emit Withdraw(msg.sender, receiver, owner, assets, shares);
        if (_out(owner, receiver, assets, all) != 0) _escrowed += uint128(assets);
        else IAsset(asset).push(receiver, assets);
    }

    function _move(address from, address to, uint256 value) private {
        if (to == address(0)) revert ZeroAddress();
        uint256 balance = balanceOf[from];
        if (balance < value) revert InsufficientShares(balance);
        unchecked {
            balanceOf[from] = balance - value;
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }

    /// @dev Takes shares from what `owner` allows the caller, unless the caller is the owner or may take all.
    function _spend(address owner, uint256 shares) private {
        if (msg.sender == owner) return;
        uint256 allowed = allowance[owner][msg.sender];
        if (allowed == type(uint256).max) return;
        if (allowed < shares) revert InsufficientAllowance(allowed);
        unchecked {
            allowance[owner][msg.sender] = allowed - shares;
        }
    }

    function _up(uint256 product, uint256 divisor) private pure returns (uint256) {
        return product / divisor + (product % divisor == 0 ? 0 : 1);
    }
}
