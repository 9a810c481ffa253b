"""What the screens know of the source behind them, and which moment of it they show."""
